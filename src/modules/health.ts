/** Health: may a load balancer send clients here? `/healthz` while the loop turns, `/readyz` if so. */
import { feature, type HttpAnswer } from "../router/feature.ts";

const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };

export const health = feature({
  name: "health",
  xeps: [],
  http: {
    "/healthz": (): HttpAnswer => ({ status: 200, headers, body: "ok\n" }),
    "/readyz": (_host, { notReady }): HttpAnswer =>
      notReady === undefined
        ? { status: 200, headers, body: "ready\n" }
        : { status: 503, headers, body: `${notReady}\n` },
  },
});

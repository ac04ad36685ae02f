/** Cluster status: what does this node see of the cluster? `/cluster` as JSON, where there is one. */
import { feature, type HttpAnswer } from "../router/feature.ts";

const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };

export const clusterStatus = feature({
  name: "cluster-status",
  xeps: [],
  operatorHttp: {
    "/cluster": (_host, { now, clusterStatus: status }): HttpAnswer => {
      const value = status(now);
      return value === undefined
        ? { status: 404, headers, body: '{"error":"This node is not in a cluster"}\n' }
        : { status: 200, headers, body: `${JSON.stringify(value, null, 2)}\n` };
    },
  },
});

import { request } from "node:http";
import { afterEach, expect, test } from "vitest";
import type { HttpInput } from "../../src/ports/http.ts";
import type { Counter } from "../../src/ports/metrics.ts";
import { SocketNetwork } from "../../src/runtime/network.ts";
import { httpListenerDefaults } from "../../src/server/config.ts";

const open: SocketNetwork[] = [];
afterEach(async () => {
  for (const network of open.splice(0)) await network.stopListening();
});

const cells: Counter[] = [
  { kind: "counter", name: "meerkat_logins_total", help: "L.", labels: { result: "ok" }, value: 3 },
  { kind: "counter", name: "meerkat_logins_total", help: "L.", labels: { result: "no" }, value: 2 },
  { kind: "gauge", name: "meerkat_sessions", help: "S.", labels: {}, value: 7 },
];

async function serving(answerTo: (input: HttpInput, network: SocketNetwork) => void) {
  const network: SocketNetwork = new SocketNetwork({
    deliver: (input) => {
      if (input.type === "http-requested") answerTo(input, network);
    },
    log: { write: () => undefined },
    metrics: () => cells,
  });
  open.push(network);
  const { port } = await network.listen({
    ...httpListenerDefaults,
    name: "http",
    kind: "http",
    ip_address: "127.0.0.1",
    port: 0,
    tls: undefined,
    metrics: true,
  });
  return { network, url: `http://127.0.0.1:${port}`, port };
}

test("http: a request is told whole and answered as the core says", async () => {
  const inputs: HttpInput[] = [];
  const { url } = await serving((input, network) => {
    inputs.push(input);
    const headers = { "access-control-allow-origin": "*", "content-type": "text/plain" };
    network.http.respond(input.request, 203, headers, "caf\u00e9");
  });
  const response = await fetch(`${url}/.well-known/host-meta?x=1`);
  expect(response.status).toBe(203);
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(await response.text()).toBe("caf\u00e9");
  expect(inputs).toEqual([
    {
      type: "http-requested",
      request: 1,
      listener: "http",
      method: "GET",
      path: "/.well-known/host-meta",
      host: "127.0.0.1",
    },
  ]);
});

test("http: an answer comes later, once, and to a client that left not at all", async () => {
  let asked: (input: HttpInput) => void = () => undefined;
  const promise = new Promise<HttpInput>((resolve) => (asked = resolve));
  const { network, url } = await serving((input) => asked(input));
  const leaving = new AbortController();
  const response = fetch(`${url}/slow`, { signal: leaving.signal });
  const { request: id } = await promise;
  leaving.abort();
  await expect(response).rejects.toThrow();
  network.http.respond(id, 200, {}, "nobody");
  network.http.respond(id, 200, {}, "nobody");
  network.http.respond(4_711, 200, {}, "nobody");
});

test("http: large bodies are refused, stated or not", async () => {
  let asked = 0;
  const { url, port } = await serving(() => {
    asked += 1;
  });
  const stated = await fetch(url, { method: "POST", body: "x".repeat(100_000) });
  expect(stated.status).toBe(413);
  expect(asked).toBe(0);
  const error = await new Promise<Error>((resolve) => {
    const chunked = request({ port, host: "127.0.0.1", method: "POST" });
    chunked.on("error", resolve);
    chunked.write("x".repeat(100_000));
  });
  expect(error.message).toMatch(/ECONNRESET|EPIPE|socket hang up/);
});

test("http: /metrics shows our cells and the process's, in the format of Prometheus", async () => {
  const { url } = await serving(() => undefined);
  for (let round = 0; round < 2; round++) {
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get("content-type")).toContain("text/plain");
    const lines = (await response.text()).split("\n");
    expect(lines).toContain('meerkat_logins_total{result="ok"} 3');
    expect(lines).toContain('meerkat_logins_total{result="no"} 2');
    expect(lines).toContain("meerkat_sessions 7");
    expect(lines).toContain("# TYPE meerkat_logins_total counter");
    expect(lines).toContain("meerkat_connections_refused_total 0");
    expect(lines.some((line) => line.startsWith("nodejs_eventloop_lag_seconds "))).toBe(true);
  }
  expect((await fetch(`${url}/metrics`, { method: "POST" })).status).toBe(405);
});

import { Agent, request } from "node:http";
import { afterEach, expect, test, vi } from "vitest";
import type { HttpInput } from "../../src/ports/http.ts";
import type { Counter } from "../../src/ports/metrics.ts";
import { SocketNetwork } from "../../src/runtime/network.ts";
import { httpListenerDefaults } from "../../src/server/config.ts";
import { httpContract, type HttpExchange } from "../contracts/http-contract.ts";

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
    max_connections_per_address: 2_000,
  });
  return { network, url: `http://127.0.0.1:${port}`, port };
}

httpContract("real http", async () => {
  const inputs: HttpInput[] = [];
  const { network, port } = await serving((input) => inputs.push(input));
  const agent = new Agent({ keepAlive: true });
  const ask = (method: string, path: string, host: string): HttpExchange => {
    let answer: HttpExchange["answer"];
    const asking = request({ agent, port, host: "127.0.0.1", method, path, headers: { host } });
    asking.on("error", () => undefined); // who leaves is told so
    asking.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.on("end", () => {
        const headers = response.headers as Record<string, string>;
        answer = { status: response.statusCode ?? 0, headers, body };
      });
    });
    asking.end();
    return {
      leave: () => void asking.destroy(),
      get answer() {
        return answer;
      },
    };
  };
  return {
    inputs,
    http: network.http,
    ask,
    until: (condition) => vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000 }),
    close: () => Promise.resolve(agent.destroy()),
  };
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

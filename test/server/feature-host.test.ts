import { expect, test } from "vitest";
import type { HttpInput } from "../../src/ports/http.ts";
import { NodeCrypto } from "../../src/runtime/crypto.ts";
import { feature } from "../../src/router/feature.ts";
import { defaultConfig } from "../../src/server/config.ts";
import { Faults } from "../../src/server/faults.ts";
import { FeatureHost } from "../../src/server/feature-host.ts";
import { NodeMetrics } from "../../src/server/metrics.ts";

const broken = feature({
  name: "broken",
  xeps: [],
  http: {
    "/broken": () => {
      throw new Error("a planted bug");
    },
    "/whole": () => ({ status: 200, headers: {}, body: "whole" }),
  },
});

function host(onFault: "contain" | "throw") {
  const counts = new NodeMetrics();
  const logged: string[] = [];
  const log = { write: (_: string, event: string) => void logged.push(event) };
  const featureHost = new FeatureHost({
    config: defaultConfig,
    features: [broken],
    version: "0",
    entropy: { bytes: (count) => new Uint8Array(count) },
    crypto: new NodeCrypto(() => undefined),
    faults: new Faults({ log, counts, onFault }),
    clusterStatus: () => undefined,
  });
  const now = { at: 0, wall: 0 };
  const get = (path: string) => {
    const input: HttpInput = {
      type: "http-requested",
      ...{ request: 1, listener: "http", method: "GET", path, host: "localhost" },
    };
    return featureHost.serve(input, { now, startedAt: now, notReady: undefined });
  };
  return { get, counts, logged };
}

test("feature host: a handler that throws is answered 500, logged and counted; others go on", () => {
  const { get, counts, logged } = host("contain");
  expect(get("/broken")).toMatchObject({ type: "respond", request: 1, status: 500 });
  expect(logged).toEqual(["http-fault"]);
  expect(counts.faults.value).toBe(1);
  expect(get("/whole")).toMatchObject({ status: 200, body: "whole" });
  expect(counts.faults.value).toBe(1);
});

test("feature host: in the simulator a handler that throws ends the run", () => {
  expect(() => host("throw").get("/broken")).toThrow("a planted bug");
});

/** The simulated resolver keeps the contract of the real one; its troubles are what they say. */
import { expect, test } from "vitest";
import { stream } from "../../sim/kit/random.ts";
import { World } from "../../sim/kit/world.ts";
import type { LookupFaultKind } from "../../sim/plan.ts";
import { SimulatedLookups } from "../../sim/ports/resolver.ts";
import type { ResolverInput } from "../../src/ports/resolver.ts";
import { resolverContract } from "../contracts/resolver-contract.ts";

const host = "nodes.test";
const path = "/etc/nodes";

function lookups() {
  const world = new World();
  const troubled: string[] = [];
  const names = new SimulatedLookups({
    world,
    random: (node) => stream(1, `resolver/${node}`),
    latencyMs: [1, 5],
    onTroubled: (node, trouble) => troubled.push(`${node} ${trouble}`),
  });
  const inputs: ResolverInput[] = [];
  const resolver = names.port((input) => inputs.push(input), "n1");
  return { world, names, inputs, resolver, troubled };
}

resolverContract("simulated resolver", () => {
  const { world, names, inputs, resolver } = lookups();
  return Promise.resolve({
    ...{ resolver, inputs },
    name: (addresses) => names.setName(host, addresses),
    stopNameServer: () => names.begin("dns-down", "all", 0),
    write(text) {
      names.setFile("n1", path, text);
      return path;
    },
    missingPath: "/etc/none",
    until(condition) {
      world.runUntil(world.now() + 10_000);
      return condition() ? Promise.resolve() : Promise.reject(new Error("it never comes true"));
    },
    close: () => undefined,
  });
});

/** What a question comes to under a trouble that began before it. */
function under(trouble: LookupFaultKind, target: string, amount = 0) {
  const { world, names, inputs, resolver, troubled } = lookups();
  names.setName(host, ["10.1.0.1"]);
  world.runUntil(1_000);
  names.setName(host, ["10.1.0.1", "10.1.0.2"]);
  names.setFile("n1", path, "n1 n1:7000\nn2 n2:7000\n");
  names.begin(trouble, target, amount);
  world.runUntil(2_000);
  const answers: { at: number; input: ResolverInput }[] = [];
  const asked = trouble.startsWith("dns") ? "name" : "file";
  for (let round = 0; round < 40; round += 1) {
    const began = world.now();
    if (asked === "name") resolver.resolve(round, host);
    else resolver.readFile(round, path);
    while (inputs.length <= round) world.runUntil(world.now() + 1);
    answers.push({ at: world.now() - began, input: inputs[round] as ResolverInput });
    if (round === 20) names.end(trouble, target);
  }
  return { during: answers.slice(0, 21), after: answers.slice(21), troubled };
}

const whole = { type: "host-resolved", addresses: ["10.1.0.1", "10.1.0.2"] };

test.each<[LookupFaultKind, number]>([
  ["dns-down", 0],
  ["dns-slow", 6_000],
])("simulated resolver: %s: nobody answers, until it ends", (trouble, amount) => {
  const { during, after, troubled } = under(trouble, "n1", amount);
  for (const { at, input } of during) {
    expect(input).toMatchObject({ type: "lookup-failed", detail: "no name server answers" });
    expect(at).toBe(4_000);
  }
  for (const { at, input } of after) {
    expect(input).toMatchObject(whole);
    expect(at).toBeLessThanOrEqual(5);
  }
  expect(troubled).toEqual(Array.from({ length: 21 }, () => `n1 ${trouble}`));
});

test("simulated resolver: dns-slow: the answer comes later, and is right", () => {
  const { during } = under("dns-slow", "all", 1_500);
  for (const { at, input } of during) {
    expect(input).toMatchObject(whole);
    expect(at).toBeGreaterThan(1_500);
  }
});

test("simulated resolver: dns-stale: what was true a while ago, or before there was anything", () => {
  const { during, after } = under("dns-stale", "all", 1_010);
  expect(during[0]?.input).toMatchObject({ addresses: ["10.1.0.1"] });
  expect(during.at(-1)?.input).toMatchObject(whole);
  expect(under("dns-stale", "all", 30_000).during[0]?.input).toMatchObject({
    detail: "there is no such name",
  });
  expect(after[0]?.input).toMatchObject(whole);
});

test("simulated resolver: dns-lacking: some are missing, now and then all", () => {
  const { during, after } = under("dns-lacking", "n1");
  const counts = new Set(
    during.map(({ input }) => (input.type === "host-resolved" ? input.addresses.length : -1)),
  );
  expect([...counts].toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
  for (const { input } of after) expect(input).toMatchObject(whole);
});

test("simulated resolver: lacking by an amount: the first so many are named each time, and no others", () => {
  for (const { input } of under("dns-lacking", "all", 1).during) {
    expect(input).toMatchObject({ addresses: ["10.1.0.1"] });
  }
  for (const { input } of under("file-lacking", "all", 1).during) {
    if (input.type === "file-read") expect(input.text).toBe("n1 n1:7000\n");
  }
});

test("simulated resolver: files: gone, half-written, without some lines; other machines have their own", () => {
  for (const { input } of under("file-gone", "n1").during) {
    expect(input).toMatchObject({ detail: "there is no such file" });
  }
  const text = "n1 n1:7000\nn2 n2:7000\n";
  const textsUnder = (trouble: LookupFaultKind) =>
    under(trouble, "all").during.map(({ input }) => (input.type === "file-read" ? input.text : ""));
  for (const half of textsUnder("file-half-written")) expect(text.startsWith(half)).toBe(true);
  expect(new Set(textsUnder("file-half-written")).size).toBeGreaterThan(5);
  const lines = new Set(textsUnder("file-lacking").flatMap((each) => each.split("\n")));
  expect([...lines].filter((line) => line !== "").toSorted()).toEqual(["n1 n1:7000", "n2 n2:7000"]);
  const { after, troubled } = under("file-gone", "n2");
  expect(troubled).toEqual([]);
  expect(after[0]?.input).toMatchObject({ text });
});

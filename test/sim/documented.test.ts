/** Whoever reads docs/simulator.md must find there all that can happen and all that is judged. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { v8Flags } from "../../sim/cli/v8-flags.ts";
import { faultKinds } from "../../sim/faults/index.ts";
import { makeOracles } from "../../sim/oracles/index.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";

const page = readFileSync(new URL("../../docs/simulator.md", import.meta.url), "utf8");

/** The part of the page under this heading. */
function section(heading: string): string {
  const [, after = ""] = page.split(`\n## ${heading}\n`);
  return after.split("\n## ")[0] ?? "";
}

/** What is set in backquotes in the first column, or anywhere. */
const quoted = (text: string): string[] =>
  [...text.matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => name ?? "");

test("simulator: the page names every kind of fault, and no other", () => {
  const rows = section("What can happen").split("\n");
  const named = rows.filter((line) => line.startsWith("| ")).flatMap(quoted);
  expect(named.toSorted(), "the table under What can happen").toEqual(faultKinds.toSorted());
});

test("simulator: the page names every oracle, and no other", () => {
  const rows = section("What must hold").split("\n");
  const named = rows
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => quoted(line.split("|")[1] ?? ""));
  const made = makeOracles(planFromSeed(1)).map(({ name }) => name);
  expect(named.toSorted(), "the table under What must hold").toEqual(made.toSorted());
});

test("simulator: the page names every profile, and no other", () => {
  const [, after = ""] = section("A plan").split("Profiles:");
  const named = quoted(after.split("Of those,")[0] ?? "");
  expect(named.toSorted()).toEqual(Object.keys(profiles).toSorted());
});

/** What the simulator was asked for, where its subject exists; a kind that was added since has a line, too. */
const wanted: Readonly<Record<string, readonly (typeof faultKinds)[number][] | "of the plan">> = {
  "loss of packets as delay": "of the plan", // topology.network.noise
  "latency spikes": ["latency", "link-latency"],
  "bandwidth limit": ["bandwidth", "link-bandwidth"],
  "reset of a connection, in mid-stanza and mid-frame": ["reset", "link-reset"],
  "half-open connection": ["half-open", "link-half-open"],
  "one-way cut": ["one-way-cut"],
  "splits in any number of groups": ["split"],
  "bridge, ring, flapping": ["bridge", "ring", "flapping"],
  "node and database cut apart": ["database-cut"],
  crash: ["node-crash"],
  "graceful stop, leave": ["node-stop"],
  "restart under the same name": ["node-restart"],
  "pause and resume": ["node-pause"],
  "slow node": ["node-slow"],
  join: ["node-join"],
  "all nodes at once": ["all-nodes-restart"],
  "rolling upgrade with two versions": ["rolling-upgrade"],
  "clock: offset, drift": "of the plan", // topology.nodes[].wallOrigin, drift
  "clock: jump": ["clock-jump"],
  "database: down, refuses connections": ["database-down"],
  "database: slow": ["database-slow"],
  "database: dies before and after the commit": [
    "database-lost-before-commit",
    "database-lost-after-commit",
  ],
  "database: serialization failure": ["database-rejects"],
  "database: pool empty": ["database-exhausted"],
  "clients: flood, slow reader, contested names, malformed and huge stanzas": "of the plan", // behaviours
  "clients: do not read, vanish": ["stop-reading", "vanish"],
  "clients: reconnect storm": ["reconnect-storm"],
  "limits shrunk at random": "of the plan", // limits, topology.cluster.bounds
  "name servers and files that list nodes": [
    ...(["dns-down", "dns-slow", "dns-stale", "dns-lacking"] as const),
    ...(["file-gone", "file-half-written", "file-lacking"] as const),
  ],
};

test("simulator: each kind of trouble that was asked for is there, and each that is there was", () => {
  const kinds = Object.values(wanted).flatMap((each) => (each === "of the plan" ? [] : each));
  expect(kinds.toSorted(), "`wanted`, above").toEqual(faultKinds.toSorted());
});

test("simulator: `npm run sim` has the flags of its workers", () => {
  const { scripts } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { scripts: { sim: string } };
  expect(scripts.sim).toBe(`node ${v8Flags.join(" ")} scripts/bundled.mjs sim/cli/main.ts`);
});

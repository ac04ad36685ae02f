import { expect, test } from "vitest";
import {
  Discovery,
  discoveryTiming,
  type DiscoveryEffect,
  type DiscoveryInput,
  type DiscoveryRow,
  type DiscoverySource,
} from "../../src/cluster/discovery.ts";
import { parseNodeList } from "../../src/cluster/node-list.ts";

const { quickInterval, quickFor, slowInterval, retryAfter, expireAfter } = discoveryTiming;
const wall = 1_700_000_000_000;

/** A machine on a clock that only the test moves. */
class Scene {
  at = 1_000;
  readonly discovery: Discovery;

  constructor(source: DiscoverySource = { type: "sql" }) {
    const who = { cluster: "c", name: "a", boot: "b1", address: "a:7000" };
    this.discovery = new Discovery({ ...who, source });
  }

  step(input: DiscoveryInput): readonly DiscoveryEffect[] {
    return this.discovery.step({ at: this.at, wall: wall + this.at }, input);
  }

  /** To the machine's own deadline. */
  wait(): readonly DiscoveryEffect[] {
    this.at = Math.max(this.at, this.discovery.deadline() ?? Number.NaN);
    return this.step({ type: "deadline-reached" });
  }

  /** How long until the deadline. */
  get rest(): number | undefined {
    const deadline = this.discovery.deadline();
    return deadline === undefined ? undefined : deadline - this.at;
  }

  /** Started, registered and listed. */
  inForce(rows: readonly DiscoveryRow[] = []): this {
    this.wait();
    this.step({ type: "registered", incarnation: 5, number: 3 });
    this.step({ type: "rows-listed", refreshed: true, rows: [row("a"), ...rows] });
    return this;
  }
}

function row(name: string, number = 9): DiscoveryRow {
  return { name, address: `${name}:7000`, number, incarnation: 1, boot: `boot of ${name}` };
}
const peer = (name: string) => ({ name, address: `${name}:7000` });
const requests = (effects: readonly DiscoveryEffect[]): string[] =>
  effects.flatMap((effect) => (effect.type === "request" ? [effect.request.type] : []));
const listed = (effects: readonly DiscoveryEffect[]) =>
  effects.find((effect) => effect.type === "peers-discovered")?.peers;
const events = (effects: readonly DiscoveryEffect[]): string[] =>
  effects.flatMap((effect) => (effect.type === "log" ? [effect.event] : []));
const failed: DiscoveryInput = { type: "request-failed", detail: "the connection is refused" };

test("discovery: registers, is somebody, and only then lists the others", () => {
  const scene = new Scene();
  expect(requests(scene.wait())).toEqual(["register"]);
  expect(scene.discovery.deadline()).toBeUndefined(); // the answer comes by itself
  const registered = scene.step({ type: "registered", incarnation: 5, number: 3 });
  expect(registered).toContainEqual({ type: "identified", incarnation: 5 });
  expect(requests(registered)).toEqual(["refresh"]);
  expect(listed(registered)).toBeUndefined();
  const rows = [row("a"), row("b")];
  expect(listed(scene.step({ type: "rows-listed", refreshed: true, rows }))).toEqual([peer("b")]);
});

test("discovery: a node alone has an empty list, which is a list", () => {
  const scene = new Scene();
  scene.wait();
  expect(scene.discovery.notReady(scene.at)).toBe(
    "not registered: the database has not answered yet",
  );
  scene.step({ type: "registered", incarnation: 5, number: 3 });
  const effects = scene.step({ type: "rows-listed", refreshed: true, rows: [row("a")] });
  expect(listed(effects)).toEqual([]);
  expect(scene.discovery.notReady(scene.at)).toBeUndefined();
});

test("discovery: looks often at first, then rarely, and often again after a link went down", () => {
  const scene = new Scene().inForce();
  expect(scene.rest).toBe(quickInterval);
  scene.at += quickFor;
  scene.wait();
  scene.step({ type: "rows-listed", refreshed: true, rows: [] });
  expect(scene.rest).toBe(slowInterval);
  scene.step({ type: "link-down" });
  expect(scene.rest).toBe(quickInterval);
  scene.wait();
  scene.step({ type: "rows-listed", refreshed: true, rows: [] });
  expect(scene.rest).toBe(quickInterval);
});

test("discovery: a list that did not change is not told again", () => {
  const scene = new Scene().inForce([row("b")]);
  scene.wait();
  const rows = [row("a"), row("b")];
  expect(listed(scene.step({ type: "rows-listed", refreshed: true, rows }))).toBeUndefined();
  scene.wait();
  const moved = [{ ...row("b"), address: "elsewhere:7000" }];
  expect(listed(scene.step({ type: "rows-listed", refreshed: true, rows: moved }))).toEqual([
    { name: "b", address: "elsewhere:7000" },
  ]);
});

test("discovery: an outage keeps the list in force and the node ready, and is logged once", () => {
  const scene = new Scene().inForce([row("b")]);
  scene.wait();
  expect(events(scene.step(failed))).toEqual(["discovery-failed"]);
  expect(scene.rest).toBe(retryAfter);
  for (let hours = 0; hours < 1_000; hours += 1) {
    scene.wait();
    const effects = scene.step(failed);
    expect(events(effects)).toEqual([]);
    expect(listed(effects)).toBeUndefined();
    expect(scene.rest).toBeLessThanOrEqual(quickInterval);
  }
  expect(scene.discovery.peers).toEqual([peer("b")]);
  expect(scene.discovery.notReady(scene.at)).toBeUndefined();
  scene.wait();
  const back = scene.step({ type: "rows-listed", refreshed: true, rows: [row("b")] });
  expect(events(back)).toEqual(["discovery-back"]);
});

test("discovery: a node that boots in an outage is nobody, not ready, and says why", () => {
  const scene = new Scene();
  scene.wait();
  const first = scene.step(failed);
  expect(first.some(({ type }) => type === "identified")).toBe(false);
  scene.at += 12_000;
  expect(scene.discovery.notReady(scene.at)).toBe(
    "not registered: the database does not answer since 12 s (the connection is refused)",
  );
  expect(requests(scene.wait())).toEqual(["register"]);
});

test("discovery: a row that was lost is made again, and the list stays meanwhile", () => {
  const scene = new Scene().inForce([row("b")]);
  scene.wait();
  const lost = scene.step({ type: "rows-listed", refreshed: false, rows: [] });
  expect(listed(lost)).toBeUndefined();
  expect(lost).toContainEqual({
    type: "request",
    request: {
      type: "register",
      owner: { cluster: "c", name: "a", boot: "b1", address: "a:7000" },
      incarnation: 5, // it is who it was
      wall: wall + scene.at,
    },
  });
  expect(scene.discovery.idNumber(scene.at)).toBeUndefined();
  scene.step({ type: "registered", incarnation: 5, number: 4 });
  expect(scene.discovery.idNumber(scene.at)).toBe(4);
});

test("discovery: a number is used for half the time after which others may have it", () => {
  const scene = new Scene().inForce();
  const refreshedAt = scene.at;
  expect(scene.discovery.idNumber(scene.at)).toBe(3);
  for (;;) {
    scene.wait();
    scene.step(failed);
    if (scene.at - refreshedAt >= expireAfter / 2) break;
    expect(scene.discovery.idNumber(scene.at)).toBe(3);
  }
  expect(scene.discovery.idNumber(scene.at)).toBeUndefined();
  scene.wait();
  scene.step({ type: "rows-listed", refreshed: true, rows: [] });
  expect(scene.discovery.idNumber(scene.at)).toBe(3);
});

test("discovery: a process that was superseded says so and asks for nothing more", () => {
  const scene = new Scene().inForce();
  scene.wait();
  scene.step({ type: "rows-listed", refreshed: false, rows: [] });
  const by = { name: "a", incarnation: 6, boot: "b2" };
  expect(scene.step({ type: "superseded", by })).toContainEqual({ type: "superseded", by });
  expect(scene.discovery.deadline()).toBeUndefined();
  expect(scene.discovery.notReady(scene.at)).toBe("superseded: a later process is a");
  expect(scene.step({ type: "leave" })).toEqual([{ type: "left" }]);
});

test("discovery: leaving removes the row, once, after what is under way", () => {
  const scene = new Scene().inForce();
  scene.wait();
  expect(scene.step({ type: "leave" })).toEqual([]); // a refresh is under way
  expect(requests(scene.step({ type: "rows-listed", refreshed: true, rows: [] }))).toEqual([
    "remove",
  ]);
  expect(scene.step({ type: "removed" })).toEqual([{ type: "left" }]);
  expect(scene.discovery.deadline()).toBeUndefined();
  expect(scene.step({ type: "link-down" })).toEqual([]);
});

test("discovery: leaving in an outage tries once, then is done", () => {
  const scene = new Scene().inForce();
  scene.wait();
  scene.step({ type: "leave" });
  expect(requests(scene.step(failed))).toEqual(["remove"]);
  expect(scene.step(failed)).toContainEqual({ type: "left" });
});

test("discovery: a static list needs no world, and no answer", () => {
  const nodes = [peer("a"), peer("b"), peer("c")];
  const scene = new Scene({ type: "static", nodes });
  expect(scene.wait()).toEqual([
    { type: "identified", incarnation: wall + scene.at },
    { type: "peers-discovered", peers: [peer("b"), peer("c")] },
  ]);
  expect(scene.discovery.deadline()).toBeUndefined();
  expect(scene.discovery.notReady(scene.at)).toBeUndefined();
  expect(scene.step({ type: "leave" })).toEqual([{ type: "left" }]);
});

test("discovery: DNS names nodes by their addresses, in one order, and asks again", () => {
  const scene = new Scene({ type: "dns", host: "nodes.local", port: 7_000 });
  expect(scene.wait()).toEqual([
    { type: "request", request: { type: "resolve", host: "nodes.local" } },
  ]);
  const effects = scene.step({ type: "host-resolved", addresses: ["fd00::1", "10.0.0.2"] });
  expect(listed(effects)).toEqual([
    { name: "meerkat@10.0.0.2:7000", address: "10.0.0.2:7000" },
    { name: "meerkat@[fd00::1]:7000", address: "[fd00::1]:7000" },
  ]);
  scene.wait();
  const shuffled = scene.step({ type: "host-resolved", addresses: ["10.0.0.2", "fd00::1"] });
  expect(listed(shuffled)).toBeUndefined();
  scene.wait();
  expect(listed(scene.step({ type: "host-resolved", addresses: [] }))).toBeUndefined();
  expect(scene.discovery.peers).toHaveLength(2);
});

test("discovery: a file that is being written is not believed", () => {
  const scene = new Scene({ type: "file", path: "/nodes", port: 7_000 });
  scene.wait();
  scene.step({ type: "file-read", text: "a\nb b:7100 # the second\n\n10.0.0.3\n" });
  const before = scene.discovery.peers;
  expect(before).toEqual([
    { name: "meerkat@a:7000", address: "a:7000" },
    { name: "b", address: "b:7100" },
    { name: "meerkat@10.0.0.3:7000", address: "10.0.0.3:7000" },
  ]);
  scene.wait();
  expect(events(scene.step({ type: "file-read", text: "" }))).toEqual(["discovery-failed"]);
  scene.wait();
  scene.step({ type: "file-read", text: "b b:7100\nhttp://c/\n" });
  expect(scene.discovery.peers).toEqual(before);
});

test("node list: lines that name no node are told by number", () => {
  expect(parseNodeList("a\nb c d\n# e\n:x\n", 1).badLines).toEqual([2, 4]);
});

test("discovery: who watches sees when the last list came, and each failure", () => {
  const scene = new Scene();
  expect(scene.discovery.status()).toEqual({ listedAt: null, failures: 0 });
  scene.inForce();
  const listedAt = wall + scene.at;
  expect(scene.discovery.status()).toEqual({ listedAt, failures: 0 });
  for (let count = 0; count < 3; count += 1) {
    scene.wait();
    scene.step(failed);
  }
  expect(scene.discovery.status()).toEqual({ listedAt, failures: 3 });
  scene.wait(); // the same list once more is news too: discovery works
  scene.step({ type: "rows-listed", refreshed: true, rows: [row("a")] });
  expect(scene.discovery.status()).toEqual({ listedAt: wall + scene.at, failures: 3 });
});

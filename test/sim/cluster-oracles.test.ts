import { expect, test } from "vitest";
import { makeOracles } from "../../sim/oracles/index.ts";
import type { Verdict } from "../../sim/oracles/oracle.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import type { FaultKind } from "../../sim/plan.ts";
import { encodeSession, sessionTable } from "../../src/router/session-record.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../../sim/trace.ts";

const drawn = planFromSeed(1, profiles.cluster);
const network = { ...drawn.topology.network, noise: undefined };
const plan = { ...drawn, topology: { ...drawn.topology, network } };
const [one, two] = ["n1#1.aa", "n2#2.bb"];
const healed = plan.duration.setUp + plan.duration.safety;

/** Two processes, and what they tell of each other. */
class Tale {
  readonly events: TraceEvent[] = [];
  #at = 0;

  constructor() {
    this.then("n1", "cluster-joined", { peer: one });
    this.then("n2", "cluster-joined", { peer: two });
  }

  then<K extends TraceKind>(place: string, kind: K, data: TraceKinds[K]): this {
    this.#at += 1;
    this.events.push({ at: this.#at, place, kind, data } as unknown as TraceEvent);
    return this;
  }

  get now(): number {
    return this.#at;
  }

  until(at: number): this {
    this.#at = at;
    return this;
  }

  /** n1 writes into its own table. */
  writes(seq: number, key: string, value: string): this {
    return this.then("n1", "table-written", { table: "t", seq, key, value, deleted: false });
  }

  deletes(seq: number, key: string): this {
    return this.then("n1", "table-written", { table: "t", seq, key, value: "", deleted: true });
  }

  /** n2 shows what n1 has. */
  shows(seq: number, put: readonly string[], gone: readonly string[] = [], fresh = false): this {
    return this.then("n2", "table-seen", { table: "t", owner: one, seq, fresh, put, gone });
  }

  observed(place: string, peers: readonly string[]): this {
    const queues = { queuedBytes: 0, unackedBytes: 0, logBytes: 0 };
    return this.then(place, "cluster-observed", { peers, synced: peers, ...queues });
  }

  failures(oracle: string, of = plan): readonly string[] {
    const { failures, judged } = this.verdict(oracle, of);
    expect(judged).toBeGreaterThan(0);
    return failures;
  }

  verdict(oracle: string, of = plan): Verdict {
    const made = makeOracles(of).find((each) => each.name === oracle);
    if (made === undefined) throw new Error(`no oracle ${oracle}`);
    for (const event of this.events) made.see(event);
    return made.judge();
  }
}

const written = () => new Tale().writes(1, "a", "1").writes(2, "b", "2").deletes(3, "a");

test("atomic-sync: what is shown was the owner's state at that seq, whole", () => {
  const right = written().shows(2, ["a", "1", "b", "2"], [], true).shows(3, [], ["a"]);
  expect(right.failures("atomic-sync")).toEqual([]);
  expect(written().shows(2, ["a", "1"], [], true).failures("atomic-sync")).toHaveLength(1);
  expect(written().shows(3, ["b", "other"], [], true).failures("atomic-sync")).toHaveLength(1);
});

test("operation-order: a reader goes forward, and not past the owner", () => {
  expect(written().shows(2, ["b", "2"], [], true).failures("operation-order")).toEqual([]);
  const back = written().shows(3, ["b", "2"], [], true).shows(2, []);
  expect(back.failures("operation-order")).toHaveLength(1);
  expect(written().shows(4, ["b", "2"], [], true).failures("operation-order")).toHaveLength(1);
});

test("atomic-sync: what was deleted does not come back", () => {
  const tale = () => written().shows(2, ["a", "1", "b", "2"], [], true).shows(3, [], ["a"]);
  expect(tale().failures("atomic-sync")).toEqual([]);
  const [failure] = tale().shows(3, ["a", "1"]).failures("atomic-sync");
  expect(failure).toContain("a had been deleted");
  const again = tale().writes(4, "a", "3").shows(4, ["a", "3"]);
  expect(again.failures("atomic-sync")).toEqual([]);
});

const record = (priority: number) =>
  encodeSession({
    ...{ available: true, attached: true, priority, stamp: 1, gen: 1 },
    sid: "00".repeat(16),
  });

test("operation-order: who reads a message knows the presence that was sent before it", () => {
  const [alice, bob] = ["alice@meerkat.test/a", "bob@meerkat.test/b"];
  const table = sessionTable.name;
  const shows = (tale: Tale, seq: number, priority: number) => {
    const value = record(priority);
    tale.then("n1", "table-written", { table, seq, key: alice, value, deleted: false });
    const seen = { table, owner: one, seq, fresh: seq === 1, put: [alice, value], gone: [] };
    return tale.then("n2", "table-seen", seen);
  };
  const said = (priority: number) => {
    const tale = new Tale();
    for (const [login, node, jid] of [
      ["alice#1", "n1", alice],
      ["bob#1", "n2", bob],
    ] as const) {
      tale.then(login, "login-started", { login, user: jid.split("@")[0] ?? "", node });
      tale.then(login, "login-bound", { login, jid });
    }
    const says = (priority: number) =>
      tale.then("alice#1", "presence-sent", { login: "alice#1", available: true, priority });
    says(0);
    shows(tale, 1, 0);
    says(5);
    tale.then("alice#1", "message-sent", { login: "alice#1", id: "m/alice#1/1", to: bob });
    if (priority !== 0) shows(tale, 2, priority);
    return tale.then("n2", "bytes-sent", {
      connection: 9,
      data: "<message id='m/alice#1/1'><body>hello</body></message>",
    });
  };
  const over = (tale: Tale) => tale.then("n2", "health-asked", { path: "/healthz" });
  expect(over(said(5)).failures("operation-order")).toEqual([]);
  expect(over(said(0)).failures("operation-order")).toHaveLength(1);
  const full = said(0);
  full.events.unshift({
    ...{ at: 0, place: "n1", kind: "logged" },
    data: { level: "warning", event: "queue-full", detail: "" },
  } as unknown as TraceEvent);
  expect(over(full).failures("operation-order")).toEqual([]);
});

test("ghosts: a dead process is shown for a while, but not for ever, nor beside its successor", () => {
  const dead = () =>
    written().shows(3, ["b", "2"], [], true).then("n1", "node-killed", { silent: true });
  expect(dead().observed("n2", [one]).failures("ghosts")).toEqual([]);
  expect(dead().until(60_000).observed("n2", [one]).failures("ghosts")).toHaveLength(1);
  expect(dead().observed("n2", ["n1#3.cc"]).failures("ghosts")).toHaveLength(1);
});

test("convergence: at the end every view is the owner's own", () => {
  const ended = (tale: Tale) =>
    tale
      .until(healed + 1_000)
      .observed("n1", [two])
      .observed("n2", [one])
      .until(healed + 60_000)
      .observed("n1", [two]);
  const mutual = (tale: Tale) =>
    tale.then("n1", "table-seen", {
      table: "t",
      owner: two,
      seq: 0,
      fresh: true,
      put: [],
      gone: [],
    });
  const right = written().shows(3, ["b", "2"], [], true);
  expect(ended(mutual(right)).failures("convergence")).toEqual([]);
  expect(
    ended(mutual(written().shows(2, ["b", "2"], [], true))).failures("convergence"),
  ).toHaveLength(1);
  expect(ended(mutual(written())).failures("convergence")).toHaveLength(1);
});

test("convergence: after the heal nodes find each other within thirty seconds", () => {
  const meet = (at: number) => new Tale().until(at).observed("n1", [two]).observed("n2", [one]);
  expect(meet(healed + 1_000).failures("convergence")).toEqual([]);
  expect(meet(healed + 40_000).failures("convergence")).toHaveLength(2);
  const lost = meet(healed)
    .until(healed + 40_000)
    .observed("n1", []);
  expect(lost.failures("convergence")).toHaveLength(1);
});

test("links: up and down in turn, the same on both sides, and readable", () => {
  const up = (tale: Tale, place: string, peer: string) =>
    tale.then(place, "peer-up", { peer, session: 1 });
  expect(up(up(new Tale(), "n1", two), "n2", one).failures("links")).toEqual([]);
  expect(up(new Tale(), "n1", two).failures("links")).toHaveLength(1);
  expect(up(up(up(new Tale(), "n1", two), "n1", two), "n2", one).failures("links")).toHaveLength(1);
  const garbled = up(up(new Tale(), "n1", two), "n2", one);
  garbled.then("n1", "logged", { level: "warning", event: "link-malformed", detail: "" });
  expect(garbled.failures("links")).toHaveLength(1);
  const ahead = new Tale().then("n1", "peer-up", { peer: two, session: 1, version: 2 });
  expect(up(ahead, "n2", one).failures("links")).toHaveLength(1);
});

test("links: a peer without a connection is given the whole grace", () => {
  const { linkGrace = 0 } = plan.topology.cluster ?? {};
  const reason = `not back within ${linkGrace} ms: reset`;
  const down = { peer: two, session: 1, reason, final: false, undelivered: 0 };
  const lost = (after: number) =>
    new Tale()
      .then("n1", "peer-up", { peer: two, session: 1 })
      .then("n1", "logged", {
        level: "info",
        event: "link-broken",
        detail: `peer=${two} reason=reset`,
      })
      .until(after)
      .then("n1", "peer-down", down);
  expect(lost(linkGrace + 10).failures("links")).toEqual([]);
  expect(lost(linkGrace / 2).failures("links")).toHaveLength(1);
});

test("settled: a peer that is said to see a write has shown it", () => {
  const told = { request: 1, visible: [two], missing: [], lost: [], skipped: [] };
  const asked = () => written().then("n1", "settle-asked", { request: 1 });
  const seen = asked().shows(3, ["b", "2"], [], true).then("n1", "settled", told);
  expect(seen.failures("settled")).toEqual([]);
  expect(asked().then("n1", "settled", told).failures("settled")).toHaveLength(1);
});

test("settled: who has gone down is waited for no longer", () => {
  const told = { request: 1, visible: [], missing: [], lost: [], skipped: [] };
  const gone = { peer: two, session: 1, reason: "", final: false, undelivered: 0 };
  const asked = () => written().then("n1", "settle-asked", { request: 1 });
  const answered = (part: object, tale = asked().then("n1", "peer-down", gone)) =>
    tale.then("n1", "settled", { ...told, ...part }).failures("settled");
  expect(answered({ lost: [two] })).toEqual([]);
  expect(answered({ missing: [two] }, asked())).toEqual([]);
  expect(answered({ missing: [two] })).toHaveLength(1);
  const before = written().then("n1", "peer-down", gone).then("n1", "settle-asked", { request: 1 });
  expect(answered({ missing: [two] }, before)).toEqual([]);
});

test("settled: a client is told that it is bound when the others have been", () => {
  const login = { login: "a#1", user: "a", node: "n1" };
  const record = { table: "sessions", seq: 1, key: "a@b/c", value: "", deleted: false };
  const told = { request: 1, visible: [], missing: [two], lost: [], skipped: [] };
  const asked = () =>
    new Tale()
      .then("a#1", "login-started", login)
      .then("n1", "connection-opened", { connection: 1, login: "a#1", listener: "c2s", dial: 0 })
      .then("n1", "table-written", record)
      .then("n1", "settle-asked", { request: 1 });
  const bound = (tale: Tale) => tale.then("a#1", "login-bound", { login: "a#1", jid: "a@b/c" });
  expect(bound(asked().then("n1", "settled", told)).failures("settled")).toEqual([]);
  expect(bound(asked()).failures("settled")).toHaveLength(1);
  // What a process has told it comes late: its successor is about to give the name to another.
  const late = asked()
    .then("n1", "settled", told)
    .then("n1", "node-killed", { silent: true })
    .then("n1", "cluster-joined", { peer: "n1#9.f" })
    .then("n1", "table-written", record)
    .then("n1", "settle-asked", { request: 1 });
  expect(bound(late).failures("settled")).toEqual([]);
});

test("bounds: a queue past its limit is a failure", () => {
  const full = { peers: [], synced: [], queuedBytes: 1e9, unackedBytes: 1e9, logBytes: 1e9 };
  expect(new Tale().observed("n1", []).failures("bounds")).toEqual([]);
  const observed = new Tale().then("n1", "cluster-observed", full);
  expect(observed.observed("n1", []).failures("bounds")).toHaveLength(3);
});

test("bounds: nothing waits when nobody has spoken for long", () => {
  const some = { peers: [], synced: [], queuedBytes: 100, unackedBytes: 0, logBytes: 0 };
  const waits = () => new Tale().then("n1", "cluster-observed", some);
  expect(waits().failures("bounds")).toHaveLength(1);
  expect(waits().observed("n1", []).failures("bounds")).toEqual([]);
  expect(waits().then("n1", "node-killed", { silent: false }).failures("bounds")).toEqual([]);
});

test("bounds: a request that is open at every look was never closed", () => {
  const told = { sessions: 0, answersLost: 0 };
  const observed = (openRequests: number) =>
    new Tale().then("n1", "metrics-observed", { ...told, openRequests }).failures("bounds");
  expect(observed(1)).toHaveLength(1);
  expect(observed(0)).toEqual([]);
  expect(new Tale().then("n1", "metrics-observed", told).failures("bounds")).toEqual([]);
});

test("directory: the table of sessions holds the node's sessions, no more and no fewer", () => {
  const record = { table: "sessions", seq: 1, key: "a@b/c", value: "", deleted: false };
  const observed = (tale: Tale, jids: string[]) => tale.then("n1", "sessions-observed", { jids });
  const bound = () => new Tale().then("n1", "table-written", record);
  expect(observed(bound(), ["a@b/c"]).failures("directory")).toEqual([]);
  expect(observed(bound(), ["a@b/c", "d@b/e"]).failures("directory")).toHaveLength(1);
  const gone = observed(bound(), ["a@b/c"]).then("n1", "sessions-observed", { jids: [] });
  expect(gone.failures("directory")).toHaveLength(1);
});

test("sessions: a node lets nobody in past the maximum, its own and those it shows counted together", () => {
  const table = sessionTable.name;
  const limits = { ...plan.limits, maxSessionsPerUser: 2 };
  const both = (user: string) => {
    const tale = new Tale();
    const [first, second] = [`${user}@meerkat.test/1`, `${user}@meerkat.test/2`];
    for (const [index, key] of [first, second].entries()) {
      const written = { table, seq: index + 1, key, value: record(0), deleted: false };
      tale.then("n1", "table-written", written);
    }
    const put = [first, record(0), second, record(0)];
    return tale.then("n2", "table-seen", { table, owner: one, seq: 2, fresh: true, put, gone: [] });
  };
  const third = { table, seq: 1, key: "a@meerkat.test/3", value: record(0), deleted: false };
  const comes = (tale: Tale) => tale.then("n2", "table-written", third);
  const seen = { table, owner: one, seq: 3, fresh: false, put: [], gone: ["a@meerkat.test/1"] };
  const failures = (tale: Tale) => tale.verdict("sessions", { ...plan, limits }).failures;
  expect(failures(comes(both("b")))).toEqual([]);
  expect(failures(comes(both("a")))).toHaveLength(1);
  expect(failures(comes(both("a").then("n2", "table-hidden", { table, owner: one })))).toEqual([]);
  const inTheSameTurn = comes(both("a"));
  inTheSameTurn.until(inTheSameTurn.now - 1).then("n2", "table-seen", seen);
  expect(failures(inTheSameTurn)).toEqual([]);
  const again = comes(both("b"));
  const changed = { ...third, seq: 2, value: record(5) };
  expect(failures(again.then("n2", "table-written", changed))).toEqual([]);
});

test("sessions: where no name is taken over, a node lets nobody in under one that it shows", () => {
  const table = sessionTable.name;
  const key = "a@meerkat.test/1";
  const written = { table, seq: 1, key, value: record(0), deleted: false };
  const seen = { table, owner: one, seq: 1, fresh: true, put: [key, record(0)], gone: [] };
  const twice = () =>
    new Tale()
      .then("n1", "table-written", written)
      .then("n2", "table-seen", seen)
      .then("n2", "table-written", written);
  const kept = { ...plan, limits: { ...plan.limits, conflict: "refuse_new" as const } };
  const taken = { ...plan, limits: { ...plan.limits, conflict: undefined } };
  expect(twice().verdict("sessions", taken).failures).toEqual([]);
  expect(twice().verdict("sessions", kept).failures).toHaveLength(1);
  const detail = `jid=${key} reason=Replaced by a new login`;
  const replaced = new Tale().then("n1", "logged", {
    ...{ level: "debug", event: "session-ended", detail },
  });
  expect(replaced.verdict("sessions", taken).failures).toEqual([]);
  expect(replaced.verdict("sessions", kept).failures).toHaveLength(1);
});

test("directory: in favour of a newer login here, or of what was there before?", () => {
  const [table, key, login] = [sessionTable.name, "a@meerkat.test/1", "bob#1"];
  const value = (sid: string) =>
    encodeSession({ available: true, attached: true, priority: 0, stamp: 1, gen: 1, sid });
  const tale = new Tale();
  const writes = (seq: number, sid?: string) =>
    tale.then("n1", "table-written", {
      ...{ table, seq, key, deleted: sid === undefined },
      value: sid === undefined ? "" : value(sid),
    });
  const shows = (seq: number, put: string[], gone: string[]) =>
    tale.then("n1", "table-seen", { table, owner: two, seq, fresh: seq === 1, put, gone });
  tale.then(login, "login-started", { login, user: "a@meerkat.test", node: "n1" });
  shows(1, [key, value("11".repeat(16))], []);
  // Of somebody else, who left; nobody can tell whose it was.
  writes(1, "22".repeat(16));
  writes(2);
  shows(2, [], [key]);
  writes(3, "33".repeat(16)).then(login, "login-bound", { login, jid: key });
  const replaced = writes(4).now - 1;
  const thrownOut = { login, condition: "conflict" };
  const end = tale.events.length;
  const without = tale.then(login, "stream-error-received", thrownOut).verdict("directory");
  expect(without.failures).toHaveLength(1);
  tale.events.length = end;
  tale.until(replaced);
  writes(5, "44".repeat(16)).then(login, "stream-error-received", thrownOut);
  expect(tale.verdict("directory").failures).toEqual([]);
});

test("directory: a node ends its session of a name as soon as it sees a later one elsewhere", () => {
  const table = sessionTable.name;
  const key = "a@meerkat.test/1";
  const claims = (stamp: number, sid: string) =>
    encodeSession({ available: true, attached: true, priority: 0, stamp, gen: 1, sid });
  const written = { table, seq: 1, key, value: claims(5, "00".repeat(16)), deleted: false };
  const sees = (stamp: number, tale = new Tale().then("n1", "table-written", written)) => {
    const put = [key, claims(stamp, "11".repeat(16))];
    return tale
      .then("n1", "table-seen", { table, owner: two, seq: 1, fresh: true, put, gone: [] })
      .verdict("directory").failures;
  };
  expect(sees(4)).toEqual([]);
  expect(sees(6)).toHaveLength(1);
  const ended = new Tale().then("n1", "table-written", written);
  ended.then("n1", "table-written", { ...written, seq: 2, value: "", deleted: true });
  expect(sees(6, ended)).toEqual([]);
});

test("delivery: among sessions of another node the sender's node goes by what it sees of them", () => {
  const [table, bob] = [sessionTable.name, "bob@meerkat.test"];
  const tale = (came: "nobody" | "somebody") => {
    const sessions = new Tale();
    const writes = (seq: number, key: string, value: string, deleted = false) => {
      sessions.then("n1", "table-written", { table, seq, key, value, deleted });
      const change = deleted ? { put: [], gone: [key] } : { put: [key, value], gone: [] };
      const seen = { table, owner: one, seq, fresh: seq === 1, ...change };
      return () => sessions.then("n2", "table-seen", seen);
    };
    for (const [login, node, jid] of [
      ["alice#1", "n2", "alice@meerkat.test/x"],
      ["low#1", "n1", `${bob}/low`],
      ["high#1", "n1", `${bob}/high`],
    ] as const) {
      sessions.then(login, "login-started", { login, user: jid.split("@")[0] ?? "", node });
      sessions.then(login, "login-bound", { login, jid });
    }
    writes(1, `${bob}/low`, record(0))();
    writes(2, `${bob}/high`, record(5))();
    const [id, to] = ["m/alice#1/1", `${bob}/gone`];
    sessions.then("alice#1", "message-sent", { login: "alice#1", id, to });
    // Bound there for a moment, though its client was never told: it was sent to it, and looked up again there.
    const shown = came === "somebody" ? [writes(3, to, record(0)), writes(4, to, "", true)] : [];
    for (const show of shown) show();
    const received = { login: "low#1", id, from: "alice@meerkat.test/x", to, body: "" };
    return sessions.then("low#1", "message-received", received);
  };
  expect(tale("nobody").failures("delivery")).toHaveLength(1);
  expect(tale("somebody").verdict("delivery")).toMatchObject({ unknown: 1, failures: [] });
});

test("constancy: a link ends for nothing, unless something befell its nodes a while ago or befalls them now", () => {
  const calm = () => new Tale().until(60_000).observed("n1", [two]);
  const lost = (tale: Tale, reason = "no longer listed") =>
    tale.then("n1", "peer-down", { peer: two, session: 1, reason, final: false, undelivered: 0 });
  const fault = (tale: Tale, kind: FaultKind, target: string) =>
    tale.then("world", "fault-started", { fault: kind, target });
  expect(calm().failures("constancy")).toEqual([]);
  expect(lost(calm()).failures("constancy")).toHaveLength(1);
  expect(lost(fault(calm(), "dns-lacking", "all")).failures("constancy")).toHaveLength(1);
  expect(lost(fault(calm(), "split", "n2|n3")).failures("constancy")).toEqual([]);
  expect(lost(fault(calm(), "all-nodes-restart", "all")).failures("constancy")).toEqual([]);
  expect(lost(fault(calm(), "node-pause", "n3")).failures("constancy")).toHaveLength(1);
  const killed = calm().then("n2", "node-killed", { silent: true });
  expect(lost(killed).failures("constancy")).toEqual([]);
  const later = fault(calm(), "split", "n2|n3").until(80_000);
  expect(
    lost(later.then("world", "fault-ended", { fault: "split", target: "n2|n3" })).failures(
      "constancy",
    ),
  ).toEqual([]);
  expect(lost(calm(), "9 bytes wait for the peer, twice the limit").failures("constancy")).toEqual(
    [],
  );
  const tooMuch = lost(calm(), "9 bytes wait for the peer, twice the limit");
  const data = { peer: one, session: 1, reason: "the peer knows no such session" };
  const told = tooMuch.then("n2", "peer-down", { ...data, final: false, undelivered: 0 });
  expect(told.failures("constancy")).toEqual([]);
});

test("constancy: who has lost each other is linked again soon after nothing keeps them apart any more", () => {
  const parts = (tale = new Tale().observed("n1", [two])) =>
    tale
      .then("world", "fault-started", { fault: "split", target: "n1|n2" })
      .until(10_000)
      .then("world", "fault-ended", { fault: "split", target: "n1|n2" })
      .observed("n1", []);
  expect(parts().verdict("constancy").failures).toEqual([]);
  const still = () => parts().until(26_000).observed("n1", []);
  expect(still().verdict("constancy").failures).toHaveLength(1);
  expect(still().observed("n1", []).verdict("constancy").failures).toHaveLength(1);
  expect(parts().until(26_000).observed("n1", [two]).verdict("constancy").failures).toEqual([]);
  expect(parts(new Tale()).until(26_000).observed("n1", []).verdict("constancy").failures).toEqual(
    [],
  );
  const leaves = parts().then("n2", "shutdown-requested", {}).until(40_000).observed("n1", []);
  expect(leaves.verdict("constancy").failures).toEqual([]);
});

test("constancy: who is given up because it took nothing has shown nothing that was written meanwhile", () => {
  const reason = "It took no operations for 30000 ms";
  const data = { peer: two, session: 1, reason, final: false, undelivered: 0 };
  const tale = (tookAll: boolean) => {
    const queued = new Tale()
      .writes(1, "a", "1")
      .until(40_000)
      .writes(2, "a", "2")
      .shows(1, ["a", "1"]);
    if (tookAll) queued.until(41_000).shows(2, ["a", "2"]);
    const split = queued
      .observed("n1", [two])
      .then("world", "fault-started", { fault: "split", target: "n1|n2" });
    return split.until(60_000).then("n1", "peer-down", data);
  };
  expect(tale(false).failures("constancy")).toEqual([]);
  expect(tale(true).failures("constancy")).toHaveLength(1);
});

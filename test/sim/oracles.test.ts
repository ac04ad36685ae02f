import { expect, test } from "vitest";
import { arrivalsRemembered } from "../../src/router/arrivals.ts";
import { makeOracles } from "../../sim/oracles/index.ts";
import type { Verdict } from "../../sim/oracles/oracle.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import type { Plan } from "../../sim/plan.ts";
import { alice, apart, bob, both, plan, Tale } from "./tale.ts";

test("conservation: a delivered and a bounced message are right, and counted", () => {
  const verdict = both()
    .sends("alice#1", "1", bob)
    .receives("bob#1", "1", alice, bob)
    .sends("alice#1", "2", "nobody@meerkat.test")
    .then("message-bounced", { login: "alice#1", id: "2", condition: "service-unavailable" })
    .verdict("conservation");
  expect(verdict).toEqual({ judged: 3, unknown: 0, failures: [] });
});

test("conservation: a message bounces from whom it was sent to, not from one of its sessions", () => {
  const bounced = (from: string) =>
    both()
      .sends("alice#1", "1", "bob@meerkat.test")
      .then("message-bounced", { login: "alice#1", id: "1", condition: "too late", from })
      .verdict("conservation").failures;
  expect(bounced("bob@meerkat.test")).toEqual([]);
  expect(bounced(bob)).toHaveLength(1);
});

test("conservation: a message that vanished is a failure", () => {
  expect(both().sends("alice#1", "1", bob).verdict("conservation").failures).toHaveLength(1);
});

test("conservation: a message to a host that died meanwhile is unknown, much later it is not", () => {
  const dies = { login: "bob#1", reason: "vanished", clean: false };
  const flies = (): Tale =>
    both()
      .sends("alice#1", "m/1", bob)
      .then("bytes-sent", { connection: 1, data: "<message id='m/1'>" });
  const soon = flies().then("login-ended", dies).verdict("conservation");
  expect(soon).toMatchObject({ unknown: 1, failures: [] });
  const unwritten = both().sends("alice#1", "m/1", bob).then("login-ended", dies);
  expect(unwritten.verdict("conservation").failures).toHaveLength(1);
  const late = flies().wait(600_000).then("login-ended", dies).verdict("conservation");
  expect(late.failures).toHaveLength(1);
});

test("conservation: what links hand back together stays in order, but for copies on their way to a client", () => {
  const back = {
    session: 1,
    reason: "gone",
    final: false,
    undelivered: 2,
    handedBack: ["m/1", "m/2"],
  };
  const returned = (tale: Tale): Tale => tale.then("peer-down", { ...back, peer: "n2#1.b" });
  const sent = (): Tale => both().sends("alice#1", "m/1", bob).sends("alice#1", "m/2", bob);
  const swapped = (tale: Tale): readonly string[] =>
    tale
      .receives("bob#1", "m/2", alice, bob)
      .receives("bob#1", "m/1", alice, bob)
      .verdict("conservation").failures;
  expect(swapped(returned(sent()))).toHaveLength(1);
  const written = sent().then("bytes-sent", { connection: 1, data: "<message id='m/2'>" });
  expect(swapped(returned(written))).toEqual([]);
  // So do their bounces, unless the older was on its way to a session whose name another took meanwhile.
  const bounced = (tale: Tale, ofNewer = "recipient-unavailable"): readonly string[] => {
    const fate = { login: "alice#1", from: bob };
    return tale
      .then("message-bounced", { ...fate, id: "m/2", condition: ofNewer })
      .then("message-bounced", { ...fate, id: "m/1", condition: "recipient-unavailable" })
      .verdict("conservation").failures;
  };
  expect(bounced(returned(sent()))).toHaveLength(1);
  // Of the older it may be the bounce that came back.
  expect(bounced(returned(sent()), "service-unavailable")).toEqual([]);
  const between = both().sends("alice#1", "m/1", bob).wait(100).online("bob#2", bob).wait(100);
  expect(bounced(returned(between.sends("alice#1", "m/2", bob)))).toEqual([]);
});

test("refusals: a node that starts is excused until it has joined, whatever else of it is over", () => {
  const clustered = planFromSeed(1, profiles.cluster);
  const refused = (tale: Tale): readonly string[] => {
    const answer = { login: "mallory#1", attack: "non-ascii-garbage", answer: "connection ended" };
    const told = tale
      .wait(60_000)
      .then("login-started", { login: "mallory#1", user: "mallory", node: "n1" })
      .then("attack-sent", { login: "mallory#1", attack: "non-ascii-garbage" })
      .then("attack-answered", answer);
    return told.verdict("refusals", clustered).failures;
  };
  const slow = { fault: "node-slow", target: "n1" } as const;
  const starts = (): Tale =>
    new Tale()
      .at("n1")
      .then("fault-started", slow)
      .then("node-killed", { silent: false })
      .then("node-started", { generation: 2 })
      .then("fault-ended", slow);
  expect(refused(starts())).toEqual([]);
  expect(refused(starts().then("cluster-joined", { peer: "n1#1.b" }))).toHaveLength(1);
});

test("conservation: twice, too late, by the wrong client, forged or changed is a failure", () => {
  const sent = (): Tale => both().sends("alice#1", "1", bob).sends("alice#1", "2", bob);
  const good = sent().receives("bob#1", "1", alice, bob).receives("bob#1", "2", alice, bob);
  expect(good.verdict("conservation").failures).toEqual([]);
  expect(good.receives("bob#1", "2", alice, bob).verdict("conservation").failures).toHaveLength(1);
  // A session remembers so many from other nodes.
  const flooded = (others: number): readonly string[] => {
    const tale = sent().receives("bob#1", "1", alice, bob).receives("bob#1", "2", alice, bob);
    for (let id = 3; id < 3 + others; id += 1) {
      tale.sends("alice#1", `${id}`, bob).receives("bob#1", `${id}`, alice, bob);
    }
    const again = tale.receives("bob#1", "1", alice, bob).verdict("conservation");
    return again.failures.filter((what) => what.includes("twice"));
  };
  expect(flooded(arrivalsRemembered - 2)).toHaveLength(1);
  expect(flooded(arrivalsRemembered)).toEqual([]);
  const swapped = sent().receives("bob#1", "2", alice, bob).receives("bob#1", "1", alice, bob);
  expect(swapped.verdict("conservation").failures).toHaveLength(1);
  const self = sent().receives("alice#1", "1", alice, bob).receives("bob#1", "2", alice, bob);
  expect(self.verdict("conservation").failures).toHaveLength(1);
  const forged = sent().receives("bob#1", "1", bob, bob).receives("bob#1", "2", alice, bob);
  expect(forged.verdict("conservation").failures).toHaveLength(1);
  const changed = sent()
    .receives("bob#1", "1", alice, bob, "other")
    .receives("bob#1", "2", alice, bob);
  expect(changed.verdict("conservation").failures).toHaveLength(1);
});

test("answers: once is right; never, twice or by somebody else is not", () => {
  const asked = (): Tale =>
    both().then("iq-sent", { login: "alice#1", id: "q", to: bob, about: "ping" });
  const answer = { login: "alice#1", id: "q", from: bob, outcome: "result" };
  expect(asked().then("iq-answered", answer).verdict("answers").failures).toEqual([]);
  expect(asked().verdict("answers").failures).toHaveLength(1);
  const twice = asked().then("iq-answered", answer).then("iq-answered", answer);
  expect(twice.verdict("answers").failures).toHaveLength(1);
  const other = asked().then("iq-answered", { ...answer, from: alice });
  expect(other.verdict("answers").failures).toHaveLength(1);
});

test("answers: whom a node out of sight has is not answered for before its time, nor after it", () => {
  const { n2 } = apart();
  const patience = 30_000;
  const asked = (): Tale => {
    const { tale } = apart();
    tale.then("iq-sent", { login: "alice#1", id: "q/1", to: bob, about: "ping" });
    return tale.at("n2").then("bytes-sent", { connection: 2, data: "<iq id='q/1'/> a/b" });
  };
  const lost = (tale: Tale, final = false): Tale =>
    tale
      .at("n1")
      .then("peer-down", { peer: n2, session: 1, reason: "gone", final, undelivered: 0 });
  const told = (tale: Tale, outcome: string): Tale =>
    tale
      .at("n1")
      .then("bytes-sent", { connection: 1, data: "<iq id='q/1'/> a/b" })
      .then("iq-answered", { login: "alice#1", id: "q/1", from: bob, outcome });
  const failures = (tale: Tale): readonly string[] => tale.verdict("answers").failures;
  const error = "service-unavailable";
  expect(failures(told(lost(asked()).wait(patience), error))).toEqual([]);
  expect(failures(told(lost(asked()).wait(patience + 5_000), error))).toHaveLength(1);
  expect(failures(told(lost(asked(), true).wait(5_000), error))).toHaveLength(1);
  // Lost twice before it shows anything: it is back all the same.
  const nothing = { seq: 0, put: [], gone: [], fresh: true };
  const shown = lost(lost(asked()).wait(1_000)).then("table-seen", {
    ...{ table: "sessions", owner: n2 },
    ...nothing,
  });
  expect(failures(told(shown.wait(patience + 5_000), error))).toEqual([]);
  // Who takes the name elsewhere meanwhile has not been asked, unless it came back and was looked up again.
  const elsewhere = (tale: Tale): Tale =>
    tale
      .then("login-started", { login: "bob#2", user: "bob", node: "n3" })
      .then("login-bound", { login: "bob#2", jid: bob });
  expect(failures(told(lost(elsewhere(asked()), true).wait(5_000), error))).toHaveLength(1);
  const back = { peer: n2, session: 1, reason: "gone", undelivered: 1, handedBack: ["q/1"] };
  const returned = elsewhere(asked())
    .at("n1")
    .then("peer-down", { ...back, final: true });
  expect(failures(told(returned.wait(5_000), error))).toEqual([]);
  const answers = (tale: Tale): Tale => tale.then("answer-given", { login: "bob#1", id: "q/1" });
  expect(failures(told(lost(answers(asked())).wait(100), error))).toHaveLength(1);
  expect(failures(told(lost(answers(asked())).wait(patience), error))).toEqual([]);
  expect(failures(told(answers(asked()), "result"))).toEqual([]);
  // Read only when the process that wrote it had a successor.
  const restarted = lost(answers(asked())).wait(patience).then("node-killed", { silent: true });
  restarted.then("node-started", { generation: 2 });
  expect(failures(told(restarted, error))).toEqual([]);
});

test("answers: of what another node was asked a later session of that name is told nothing but by whom it asked", () => {
  const asked = (): Tale => {
    const { tale } = apart();
    tale.then("iq-sent", { login: "alice#1", id: "q/1", to: bob, about: "ping" });
    tale.then("login-started", { login: "alice#2", user: "alice", node: "n1" });
    return tale.then("login-bound", { login: "alice#2", jid: alice });
  };
  const told = (tale: Tale, outcome: string): readonly string[] => {
    for (const login of ["alice#2", "alice#1"]) {
      tale.then("iq-answered", { login, id: "q/1", from: bob, outcome });
    }
    return tale.verdict("answers").failures;
  };
  expect(told(asked(), "service-unavailable")).toHaveLength(1);
  expect(told(asked().then("answer-given", { login: "bob#1", id: "q/1" }), "result")).toEqual([]);
});

test("answers: the asker's node answers for one that died; a client that went by itself excuses it", () => {
  const dials = (): Tale =>
    new Tale()
      .online("alice#1", alice)
      .then("login-started", { login: "bob#1", user: "bob", node: "here" });
  const asked = (dialled = dials()): Tale =>
    dialled
      .then("connection-opened", { connection: 9, login: "bob#1", listener: "c2s", dial: 0 })
      .then("login-bound", { login: "bob#1", jid: bob })
      .then("iq-sent", { login: "alice#1", id: "q", to: bob, about: "ping" });
  const ends = { login: "bob#1", reason: "reset", clean: false };
  const dies = (): Tale => asked().then("node-killed", { silent: false }).then("login-ended", ends);
  const goes = (dialled = dials()): Tale =>
    asked(dialled)
      .then("login-ended", ends)
      .then("connection-closed", { connection: 9, login: "bob#1", reason: "reset" })
      .then("node-killed", { silent: false });
  // It waits for an answer to its dial while a process ends that it never met.
  const late = (): Tale => goes(dials().then("node-killed", { silent: false }));
  const judged = (tale: Tale, ms: number): Verdict =>
    tale.wait(ms).then("node-resumed", {}).verdict("answers");
  expect(judged(dies(), 60_000)).toMatchObject({ unknown: 1, failures: [] });
  expect(judged(dies(), 200_000).failures).toHaveLength(1);
  expect(judged(goes(), 200_000)).toMatchObject({ unknown: 1, failures: [] });
  expect(judged(late(), 200_000)).toMatchObject({ unknown: 1, failures: [] });
});

test("answers: a request that was given to nobody is its server's to answer, whoever has ended", () => {
  const asked = (): Tale =>
    both().then("iq-sent", { login: "alice#1", id: "q/1", to: bob, about: "ping" });
  const given = (): Tale => asked().then("bytes-sent", { connection: 9, data: "<iq id='q/1'/>" });
  const without = (tale: Tale, ...gone: readonly string[]): Verdict => {
    for (const login of gone) tale.then("login-ended", { login, reason: "reset", clean: false });
    return tale.verdict("answers");
  };
  expect(without(asked(), "bob#1").failures).toHaveLength(1);
  expect(without(given(), "bob#1")).toMatchObject({ unknown: 1, failures: [] });
  expect(without(asked(), "bob#1", "alice#1")).toMatchObject({ unknown: 1, failures: [] });
  const died = (): Tale => asked().then("node-killed", { silent: false });
  expect(without(died(), "bob#1")).toMatchObject({ unknown: 1, failures: [] });
});

test("delivery: what its type or a negative priority forbids is a failure", () => {
  const to = "bob@meerkat.test";
  const given = (type: "normal" | "groupchat", tale = both()): readonly string[] =>
    tale
      .then("message-sent", { login: "alice#1", id: "m", to, type })
      .then("message-received", { login: "bob#1", id: "m", from: alice, to, body: "" })
      .verdict("delivery").failures;
  const declined = both()
    .then("presence-sent", { login: "bob#1", available: true, priority: -1 })
    .then("iq-sent", { login: "bob#1", id: "q", to, about: "ping" })
    .then("iq-answered", { login: "bob#1", id: "q", from: to, outcome: "result" });
  expect(given("normal")).toEqual([]);
  expect(given("groupchat")).toHaveLength(1);
  expect(given("normal", declined)).toHaveLength(1);
});

test("delivery: a message that had somebody to go to must not bounce", () => {
  const bounced = (to: string, tale: Tale, condition = "service-unavailable") =>
    tale
      .sends("alice#1", "m", to)
      .wait(100)
      .then("message-bounced", { login: "alice#1", id: "m", condition })
      .verdict("delivery").failures;
  const willing = () =>
    both()
      .then("presence-sent", { login: "bob#1", available: true, priority: 0 })
      .then("iq-sent", { login: "bob#1", id: "q", to: bob, about: "ping" })
      .then("iq-answered", { login: "bob#1", id: "q", from: bob, outcome: "result" });
  expect(bounced(bob, both())).toHaveLength(1);
  const full = (): Tale =>
    both().then("logged", {
      ...{ level: "warning", event: "queue-full" },
      detail: "peer=n2#2.bb queue=stanzas",
    });
  expect(bounced(bob, full(), "resource-constraint")).toEqual([]);
  expect(bounced(bob, both(), "resource-constraint")).toHaveLength(1);
  expect(bounced("bob@meerkat.test/other", both())).toEqual([]);
  // Whether a user without a presence wants messages, nobody knows.
  expect(bounced("bob@meerkat.test", both())).toEqual([]);
  expect(bounced("bob@meerkat.test", willing())).toHaveLength(1);
  const gone = both().then("login-ended", { login: "bob#1", reason: "reset", clean: false });
  expect(bounced(bob, gone)).toEqual([]);
});

test("delivery: a headline to a user without a session is dropped [RFC 6121 §8.5.2.2.1]", () => {
  const bounced = (to: string, type: "headline" | "normal"): readonly string[] =>
    both()
      .then("message-sent", { login: "alice#1", id: "m", to, type })
      .then("message-bounced", { login: "alice#1", id: "m", condition: "service-unavailable" })
      .verdict("delivery").failures;
  expect(bounced("nobody@meerkat.test", "headline")).toHaveLength(1);
  expect(bounced("nobody@meerkat.test", "normal")).toEqual([]);
  expect(bounced("nobody@meerkat.test/x", "headline")).toEqual([]);
  expect(bounced("bob@meerkat.test", "headline")).toEqual([]);
});

test("accounts: a promise without a row, a stranger and a wrong password are failures", () => {
  const users = ["alice", "bob", "eve", "mallory"];
  const registered = (outcome: string): Tale =>
    new Tale()
      .then("registration-sent", { login: "r#1", user: "new" })
      .then("registration-answered", { login: "r#1", user: "new", outcome });
  const seen = (tale: Tale, more: string[]): Verdict =>
    tale.then("accounts-observed", { users: [...users, ...more] }).verdict("accounts");
  expect(seen(registered("result"), ["new"]).failures).toEqual([]);
  expect(seen(registered("result"), []).failures).toHaveLength(1);
  expect(seen(registered("internal-server-error"), []).failures).toEqual([]);
  expect(seen(registered("internal-server-error"), ["new"]).failures).toEqual([]);
  expect(seen(new Tale(), ["stranger"]).failures).toHaveLength(1);
  const broken = new Tale().then("login-authenticated", { login: "eve#1", user: "alice" });
  expect(seen(broken, []).failures).toHaveLength(1);
});

test("accounts: who guesses may do so as often as a stream allows, not less and not more", () => {
  const { maxAuthAttempts: max } = plan.limits;
  const guessed = (count: number): Tale => {
    const tale = new Tale();
    const refused = { login: "eve#1", condition: "not-authorized" };
    for (let guess = 0; guess < count; guess += 1) tale.then("login-refused", refused);
    return tale;
  };
  const failures = (tale: Tale): readonly string[] => tale.verdict("accounts").failures;
  const thrownOut = { login: "eve#1", condition: "policy-violation" };
  expect(failures(guessed(max).then("stream-error-received", thrownOut))).toEqual([]);
  expect(failures(guessed(max - 1).then("stream-error-received", thrownOut))).toHaveLength(1);
  expect(failures(guessed(max + 1))).toHaveLength(1);
});

test("courtesy: blaming a client that keeps to the protocol is a failure", () => {
  const told = (login: string, condition: string): readonly string[] =>
    both().then("stream-error-received", { login, condition }).verdict("courtesy").failures;
  expect(told("alice#1", "not-well-formed")).toHaveLength(1);
  expect(told("alice#1", "connection-timeout")).toHaveLength(1);
  expect(told("alice#1", "system-shutdown")).toEqual([]);
  expect(told("mallory#1", "not-well-formed")).toEqual([]);
});

test("courtesy: a node that is slow may find too late what was sent in time, and nothing else", () => {
  const slow = { kind: "node-slow", target: "n1", startAt: 0, endAt: 9, amount: 300 } as const;
  const oracle = makeOracles({ ...plan, faults: [slow] }).find(({ name }) => name === "courtesy");
  if (oracle === undefined) throw new Error("no oracle");
  const told = (condition: string): readonly string[] => {
    const data = { login: "alice#1", condition };
    oracle.see({ at: 1, place: "alice#1", kind: "stream-error-received", data });
    return oracle.judge().failures;
  };
  expect(told("connection-timeout")).toEqual([]);
  expect(told("not-well-formed")).toHaveLength(1);
});

test("courtesy: what was sent ahead of a refusal may be refused, and nothing else", () => {
  const clients = plan.clients.map((client) => ({ ...client, pipelines: true }));
  const told = (clientsOf: Plan["clients"], refused: string): readonly string[] => {
    const made = makeOracles({ ...plan, clients: clientsOf });
    const oracle = made.find(({ name }) => name === "courtesy");
    if (oracle === undefined) throw new Error("no oracle");
    const events = new Tale()
      .then("login-refused", { login: refused, condition: "temporary-auth-failure" })
      .then("stream-error-received", { login: "alice#2", condition: "not-well-formed" }).events;
    for (const event of events) oracle.see(event);
    return oracle.judge().failures;
  };
  expect(told(clients, "alice#2")).toEqual([]);
  expect(told(clients, "alice#1")).toHaveLength(1);
  expect(told(plan.clients, "alice#2")).toHaveLength(1);
});

test("refusals: the wrong answer and no answer are failures", () => {
  const sent = (): Tale =>
    new Tale().then("attack-sent", { login: "mallory#1", attack: "comment" }).wait(60_000);
  const answered = (answer: string): readonly string[] =>
    sent()
      .then("attack-answered", { login: "mallory#1", attack: "comment", answer })
      .verdict("refusals").failures;
  expect(answered("restricted-xml")).toEqual([]);
  expect(answered("conflict")).toHaveLength(1);
  const unanswered = sent().then("phase-started", { phase: "x" }).verdict("refusals").failures;
  expect(unanswered).toHaveLength(1);
  // Whether the run or its patience ends first, it is one failure, also for who shrinks it.
  expect(answered("connection aborted")).toEqual(unanswered);
});

test("progress: who should be online at the end and is not is a failure", () => {
  const observed = (online: boolean): readonly string[] =>
    new Tale().then("online-observed", { client: "bob", online, jid: "" }).verdict("progress")
      .failures;
  expect(observed(true)).toEqual([]);
  expect(observed(false)).toHaveLength(1);
});

test("progress: who learns only at rest that its machine had lost its power had no time to come back", () => {
  const { setUp, safety, liveness } = plan.duration;
  const gaveUp = (silent: boolean, at: number): Tale =>
    new Tale()
      .online("bob#1", bob)
      .at("n1")
      .then("node-killed", { silent })
      .then("node-started", { generation: 2 })
      .wait(at)
      .then("login-ended", { login: "bob#1", reason: "aborted", clean: false });
  const observed = (tale: Tale): Verdict =>
    tale.then("online-observed", { client: "bob", online: false, jid: "" }).verdict("progress");
  const noticed = (silent: boolean, at: number): Verdict => observed(gaveUp(silent, at));
  const begins = { login: "bob#2", user: "bob", node: "n1" };
  const again = (at: number): Verdict => observed(gaveUp(true, at).then("login-started", begins));
  const rest = setUp + safety + liveness;
  expect(noticed(true, rest)).toMatchObject({ unknown: 1, failures: [] });
  expect(again(rest)).toMatchObject({ unknown: 1, failures: [] });
  expect(again(rest / 2).failures).toHaveLength(1);
  expect(noticed(true, rest / 2).failures).toHaveLength(1);
  expect(noticed(false, rest).failures).toHaveLength(1);
});

test("progress: who roams may have tried a machine without power again and again, and no other for long", () => {
  const { setUp, safety, liveness } = plan.duration;
  const rest = setUp + safety + liveness;
  const observed = (at: number, silent = true): Verdict =>
    new Tale()
      .at("n2")
      .then("node-killed", { silent })
      .wait(at)
      .then("login-started", { login: "bob#1", user: "bob", node: "n2" })
      .then("login-ended", { login: "bob#1", reason: "timed out", clean: false })
      .then("login-started", { login: "bob#2", user: "bob", node: "n1" })
      .then("online-observed", { client: "bob", online: false, jid: "" })
      .verdict("progress");
  expect(observed(rest)).toMatchObject({ unknown: 1, failures: [] });
  expect(observed(rest / 2).failures).toHaveLength(1);
  expect(observed(rest, false).failures).toHaveLength(1);
});

test("uncaught: a crash and a reported bug are failures", () => {
  const crash = new Tale().then("node-crashed", { error: "TypeError: x" });
  expect(crash.verdict("uncaught").failures).toHaveLength(1);
  const bug = new Tale().then("logged", { level: "error", event: "stream-fault", detail: "" });
  expect(bug.verdict("uncaught").failures).toHaveLength(1);
  const gap = new Tale().then("logged", { level: "warning", event: "table-gap", detail: "" });
  expect(gap.verdict("uncaught").failures).toHaveLength(1);
});

test("progress: a client gets the name that it asks for, unless it is taken and the plan says otherwise", () => {
  const failures = (tale: Tale, conflict?: "refuse_new" | "make_new_resource") =>
    tale.verdict("progress", { ...plan, limits: { ...plan.limits, conflict } }).failures;
  const asks = (tale: Tale) =>
    tale.then("login-started", { login: "alice#2", user: "alice", node: "n1" });
  const refused = (tale: Tale) =>
    asks(tale).then("bind-refused", { login: "alice#2", condition: "conflict" });
  const renamed = (tale: Tale) =>
    asks(tale).then("login-bound", { login: "alice#2", jid: "alice@meerkat.test/other" });
  expect(failures(refused(both()), "refuse_new")).toEqual([]);
  expect(failures(refused(both()), "make_new_resource")).toHaveLength(1);
  expect(failures(refused(both()))).toHaveLength(1);
  expect(failures(refused(new Tale()), "refuse_new")).toHaveLength(1);
  expect(failures(renamed(both()), "make_new_resource")).toEqual([]);
  expect(failures(renamed(both()), "refuse_new")).toHaveLength(1);
  expect(failures(renamed(new Tale()), "make_new_resource")).toHaveLength(1);
});

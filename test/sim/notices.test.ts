/** What the oracle `notices` makes of directed presences and messages' errors in hand-made traces. */
import { expect, test } from "vitest";
import { encodeSession, sessionTable } from "../../src/router/session-record.ts";
import { alice, apart, bob, both, type Tale } from "./tale.ts";

const user = "bob@meerkat.test";
const id = "p/1";
const sent = { login: "alice#1", id, what: "available" } as const;
const received = { login: "bob#1", id, from: alice, what: "available" } as const;

/** The server has read what bob said of his presence. */
function present(available = true, tale = both()): Tale {
  return tale
    .then("presence-sent", { login: "bob#1", available, priority: -1 })
    .then("iq-sent", { login: "bob#1", id: "q", to: user, about: "ping" })
    .then("iq-answered", { login: "bob#1", id: "q", from: user, outcome: "result" });
}

const failures = (tale: Tale): readonly string[] => tale.verdict("notices").failures;

test("notices: a presence to a user is given to every available session, of whatever priority", () => {
  const told = present().then("notice-sent", { ...sent, to: user });
  expect(failures(told)).toHaveLength(1);
  expect(failures(told.then("notice-received", { ...received, to: user }))).toEqual([]);
  // Who has said nothing, or nothing that was surely read, need not be given it, and may be.
  const silent = (): Tale => both().then("notice-sent", { ...sent, to: user });
  expect(silent().verdict("notices")).toEqual({ judged: 0, unknown: 0, failures: [] });
  expect(failures(silent().then("notice-received", { ...received, to: user }))).toEqual([]);
});

test("notices: nobody is given what is to a user of whose sessions it is none, or not available", () => {
  const given = (tale: Tale, to: string): readonly string[] =>
    failures(
      tale.then("notice-sent", { ...sent, to }).then("notice-received", { ...received, to }),
    );
  expect(given(present(false), user)).toHaveLength(1);
  expect(given(present(false), bob)).toEqual([]);
  expect(given(present(), "eve@meerkat.test")).toHaveLength(1);
});

test("notices: who has withdrawn is given nothing that is to the user, wherever it comes from", () => {
  const told = present(false, apart().tale).then("notice-sent", { ...sent, to: user });
  expect(failures(told.then("notice-received", { ...received, to: user }))).toHaveLength(1);
});

test("notices: a full JID is given it, whatever its presence, once and from its sender", () => {
  const told = (): Tale => both().then("notice-sent", { ...sent, to: bob });
  expect(failures(told())).toHaveLength(1);
  const given = (data = {}): Tale =>
    told().then("notice-received", { ...received, to: bob, ...data });
  expect(failures(given())).toEqual([]);
  expect(failures(given().then("notice-received", { ...received, to: bob }))).toHaveLength(1);
  expect(failures(given({ from: "alice@meerkat.test" }))).toHaveLength(2);
  expect(failures(given({ what: "unavailable" }))).toHaveLength(1);
  expect(failures(given({ to: user }))).toHaveLength(1);
});

test("notices: who left, withdrew or was refused is not missed", () => {
  const told = (to = bob): Tale => present().then("notice-sent", { ...sent, to });
  const ends = { reason: "vanished", clean: false };
  expect(failures(told().then("login-ended", { login: "bob#1", ...ends }))).toEqual([]);
  expect(failures(told().then("login-ended", { login: "alice#1", ...ends }))).toEqual([]);
  const withdrawn = { login: "bob#1", available: false, priority: 0 };
  expect(failures(told(user).then("presence-sent", withdrawn))).toEqual([]);
  expect(failures(told().then("presence-sent", withdrawn))).toHaveLength(1);
  const refused = { login: "alice#1", id, condition: "resource-constraint" };
  expect(failures(told().then("notice-refused", refused))).toEqual([]);
});

test("notices: whoever will not have a message says so under its id", () => {
  const declined = (): Tale =>
    both()
      .sends("alice#1", "m/1", bob)
      .receives("bob#1", "m/1", alice, bob)
      .then("notice-sent", { login: "bob#1", id: "m/1", to: alice, what: "error" });
  const heard = { login: "alice#1", id: "m/1", from: bob, to: alice, what: "error" } as const;
  expect(failures(declined())).toHaveLength(1);
  expect(failures(declined().then("notice-received", heard))).toEqual([]);
});

test("notices: two sessions of one name may both refuse what was looked up again, each of them once", () => {
  const error = { id: "m/1", what: "error" } as const;
  const refuses = (tale: Tale, login: string): Tale =>
    tale.receives(login, "m/1", alice, bob).then("notice-sent", { ...error, login, to: alice });
  const { tale } = withThree();
  tale.sends("alice#1", "m/1", bob);
  refuses(tale, "bob#1");
  tale.at("n3").then("login-started", { login: "bob#2", user: "bob", node: "n3" });
  refuses(tale.then("login-bound", { login: "bob#2", jid: bob }), "bob#2");
  const heard = { ...error, login: "alice#1", from: bob, to: alice };
  tale.then("notice-received", heard).then("notice-received", heard);
  expect(failures(tale)).toEqual([]);
  expect(failures(tale.then("notice-received", heard))).toEqual([expect.stringContaining("twice")]);
});

test("notices: from another node it goes by what that shows; who had just withdrawn is not missed", () => {
  const { tale, n2 } = apart();
  const shown = { available: true, attached: true, priority: -1, stamp: 1, gen: 1 };
  const value = encodeSession({ ...shown, sid: "00".repeat(16) });
  const row = { table: sessionTable.name, seq: 1 };
  const shows = (): Tale =>
    tale
      .at("n2")
      .then("table-written", { ...row, key: bob, value, deleted: false })
      .at("n1")
      .then("table-seen", { ...row, owner: n2, fresh: true, put: [bob, value], gone: [] });
  const told = shows().then("notice-sent", { ...sent, to: user });
  expect(failures(told)).toHaveLength(1);
  tale.then("presence-sent", { login: "bob#1", available: false, priority: 0 });
  expect(failures(tale.then("notice-sent", { ...sent, id: "p/2", to: user }))).toEqual([]);
  const much = tale.wait(200_000).then("notice-sent", { ...sent, id: "p/3", to: user });
  expect(failures(much)).toHaveLength(1);
});

/** n1 shows bob's session of n2, as it is; n3 has joined. */
function withThree(): {
  readonly tale: Tale;
  readonly tells: (node: string, owner: string) => void;
} {
  const { tale, n2 } = apart();
  tale.at("n3").then("cluster-joined", { peer: "n3#3.cc" });
  const shown = { available: true, attached: true, priority: 0, gen: 1, stamp: 1 };
  const row = { table: sessionTable.name, seq: 1 };
  const tells = (node: string, owner: string): void => {
    const value = encodeSession({ ...shown, sid: node.repeat(16).replaceAll("n", "0") });
    tale.at(node).then("table-written", { ...row, key: bob, value, deleted: false });
    tale.at("n1").then("table-seen", { ...row, owner, fresh: true, put: [bob, value], gone: [] });
  };
  tells("n2", n2);
  return { tale, tells };
}

/** Until the two have heard of each other a node tells one of them, and which is its own affair. */
test("notices: of two sessions with one full JID that a node shows neither is missed", () => {
  const { tale, tells } = withThree();
  tale.then("notice-sent", { ...sent, to: bob });
  // Its client was never told that it is there.
  tells("n3", "n3#3.cc");
  tale.then("notice-sent", { ...sent, id: "p/2", to: bob });
  expect(failures(tale)).toEqual([expect.stringContaining("p/1")]);
});

test("notices: nor is one whose name another node gives away while it may be under way", () => {
  const { tale } = withThree();
  tale.then("notice-sent", { ...sent, to: bob });
  const late = (): Tale => tale.at("n3").then("login-bound", { login: "bob#2", jid: bob });
  tale.then("login-started", { login: "bob#2", user: "bob", node: "n3" });
  expect(failures(tale)).toHaveLength(1);
  expect(failures(late())).toEqual([]);
});

/** Who is online at the end, by the server and by the clients: ghosts, twins, and what may still be under way. */
import { expect, test } from "vitest";
import type { Verdict } from "../../sim/oracles/oracle.ts";
import { alice, apart, bob, both, plan, Tale } from "./tale.ts";

test("sessions: a ghost, a twin and a client without a session are failures", () => {
  const end = (jids: string[]): Tale =>
    both()
      .wait(100_000)
      .then("sessions-observed", { jids })
      .then("online-observed", { client: "alice", online: true, jid: alice })
      .then("online-observed", { client: "bob", online: true, jid: bob });
  expect(end([alice, bob]).verdict("sessions")).toEqual({ judged: 4, unknown: 0, failures: [] });
  expect(end([alice]).verdict("sessions").failures).toHaveLength(1);
  expect(end([alice, alice, bob]).verdict("sessions").failures).toHaveLength(1);
  expect(end([alice, bob, "x@y/z"]).verdict("sessions").failures).toHaveLength(1);
});

test("sessions: what was under way from a dead host is a sign of life when it comes", () => {
  const ghost = (at: number, after: number): Verdict =>
    new Tale()
      .online("bob#1", bob)
      .then("login-ended", { login: "bob#1", reason: "vanished", clean: false })
      .wait(at)
      .at("n1")
      .then("bytes-received", { connection: 1, bytes: new Uint8Array(1) })
      .wait(after)
      .then("sessions-observed", { jids: [bob] })
      .verdict("sessions");
  const { setUp, safety } = plan.duration;
  expect(ghost(setUp + safety + 60_000, 10)).toMatchObject({ unknown: 1, failures: [] });
  expect(ghost(10, setUp + safety + 120_000).failures).toHaveLength(1);
});

test("sessions: two nodes that do not show each other's may both have one of a name", () => {
  const { n1, n2 } = apart();
  const nothing = { table: "sessions", seq: 0, put: [], gone: [], fresh: true };
  const both = ({ shows, for: ms = 5_000 }: { shows: readonly string[]; for?: number }) => {
    const { tale } = apart();
    tale.at("n2").then("login-started", { login: "alice-too#1", user: "alice", node: "n2" });
    tale.then("login-bound", { login: "alice-too#1", jid: alice }).wait(60_000);
    if (shows.includes("n1")) tale.at("n1").then("table-seen", { ...nothing, owner: n2 });
    if (shows.includes("n2")) tale.at("n2").then("table-seen", { ...nothing, owner: n1 });
    tale.wait(ms);
    for (const node of ["n1", "n2"]) tale.at(node).then("sessions-observed", { jids: [alice] });
    for (const client of ["alice", "alice-too"])
      tale.at("world").then("online-observed", { client, online: true, jid: alice });
    return tale.verdict("sessions");
  };
  expect(both({ shows: ["n1", "n2"] }).failures).toHaveLength(2);
  for (const shows of [[], ["n1"], ["n2"]]) {
    expect(both({ shows })).toMatchObject({ unknown: 2, failures: [] });
  }
  expect(both({ shows: ["n1", "n2"], for: 4_000 })).toMatchObject({ unknown: 2, failures: [] });
});

test("sessions: who has just been replaced may not have been told yet", () => {
  const twins = (sinceMs: number) =>
    both()
      .online("alice-too#1", alice)
      .wait(sinceMs)
      .then("online-observed", { client: "alice", online: true, jid: alice })
      .then("online-observed", { client: "alice-too", online: true, jid: alice })
      .then("sessions-observed", { jids: [alice] })
      .verdict("sessions");
  expect(twins(900)).toMatchObject({ unknown: 1, failures: [] });
  expect(twins(1_100).failures).toHaveLength(1);
});

test("sessions: whose client closes its stream is known until the node has heard of it", () => {
  const leaving = (sinceMs: number) =>
    both()
      .then("login-leaving", { login: "alice#1" })
      .wait(sinceMs)
      .then("sessions-observed", { jids: [alice, bob] })
      .then("online-observed", { client: "alice", online: false, jid: "" })
      .then("online-observed", { client: "bob", online: true, jid: bob })
      .verdict("sessions");
  const { setUp, safety } = plan.duration;
  const { keepAliveInterval } = plan.limits;
  expect(leaving(200)).toMatchObject({ unknown: 1, failures: [] });
  expect(leaving(setUp + safety + 1_000)).toMatchObject({ unknown: 1, failures: [] });
  expect(leaving(setUp + safety + 10_000 + 2 * keepAliveInterval).failures).toHaveLength(1);
});

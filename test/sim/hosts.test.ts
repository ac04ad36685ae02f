/** Several hosts: is an account at one never taken for that of its name at another, in plans and by oracles? */
import { expect, test } from "vitest";
import {
  accountAt,
  addressOf,
  domainOf,
  hostOf,
  nameOf,
  otherHosts,
  planHost,
  unknownHost,
  userOf,
} from "../../sim/addresses.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { planProblem } from "../../sim/plan-problem.ts";
import type { Plan } from "../../sim/plan.ts";
import { simplerClients } from "../../sim/shrink-parts.ts";
import { both, plan } from "./tale.ts";

const drawn = Array.from({ length: 40 }, (_, seed) => planFromSeed(seed + 1, profiles.small));
const housed = drawn.filter(({ topology }) => topology.hosts !== undefined);

test("hosts: an account's name says its host, and its addresses say whose they are", () => {
  for (const host of [planHost, ...otherHosts]) {
    const account = accountAt("alice", host);
    expect([nameOf(account), hostOf(account)]).toEqual(["alice", host]);
    expect(addressOf(account, "a/b")).toBe(`alice@${host}/a/b`);
    for (const jid of [addressOf(account), addressOf(account, "a@b")]) {
      expect([userOf(jid), domainOf(jid)]).toEqual([account, host]);
    }
    expect([userOf(host), domainOf(host)]).toEqual(["", host]);
  }
});

test("hosts: some runs have several, and in some of those one name stands for two people", () => {
  expect(housed.length).toBeGreaterThan(8);
  expect(housed.length).toBeLessThan(25);
  const twins = ({ clients }: Plan): boolean => {
    const addresses = new Set(clients.map(({ user, resource }) => addressOf(user, resource)));
    return clients.some(
      ({ user, resource }) =>
        hostOf(user) !== planHost && addresses.has(addressOf(nameOf(user), resource)),
    );
  };
  expect(housed.filter(twins).length).toBeGreaterThan(4);
  const [first] = housed;
  expect(planProblem({ ...first, topology: { ...first?.topology, hosts: [] } })).toContain(
    "there is no host",
  );
});

test("hosts: a plan becomes simpler by having one, where nobody takes another's name by that", () => {
  const sound = housed.map((each) => {
    const one = simplerClients(each).find(({ topology }) => topology.hosts === undefined);
    expect(one?.clients.every(({ user }) => hostOf(user) === planHost)).toBe(true);
    return planProblem(one) === undefined;
  });
  expect(sound).toContain(true);
  expect(housed[0]?.clients.some(({ user }) => user.includes("@"))).toBe(true);
});

test("hosts: nobody becomes who has the same name at another", () => {
  const became = (jid: string) =>
    both()
      .then("login-started", {
        login: "alice#2",
        user: accountAt("alice", "chat.test"),
        node: "n1",
      })
      .then("login-bound", { login: "alice#2", jid })
      .verdict("progress").failures;
  expect(became("alice@chat.test/x")).toEqual([]);
  expect(became("alice@meerkat.test/x")).toHaveLength(1);
});

test("hosts: what is for another server is refused as that, and nothing else is", () => {
  const bounced = (to: string, condition: string) =>
    both()
      .sends("alice#1", "1", to)
      .then("message-bounced", { login: "alice#1", id: "1", condition })
      .verdict("delivery", { ...plan, topology: { ...plan.topology, hosts: ["chat.test"] } })
      .failures;
  const unknown = "remote-server-not-found";
  expect(bounced(`bob@${unknownHost}`, unknown)).toEqual([]);
  expect(bounced(`bob@${unknownHost}`, "service-unavailable")).toHaveLength(1);
  expect(bounced("nobody@chat.test", unknown)).toHaveLength(1);
  expect(bounced("nobody@chat.test", "service-unavailable")).toEqual([]);
});

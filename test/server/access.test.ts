/** Access: which rule counts, and what a client is told that may not have a session. */
import { expect, test } from "vitest";
import { valueFor, type AccessRule } from "../../src/server/access.ts";
import type { Config } from "../../src/server/config.ts";
import { Jid } from "../../src/xmpp/jid.ts";
import { smallConfig, SmallNode } from "./small-node.ts";

const juliet = new Jid("juliet", "localhost", "balcony");

test("access: the first rule whose list has the address counts", () => {
  const rules: readonly AccessRule<number>[] = [
    { acl: [], value: 1 },
    { acl: [{ user: "romeo" }, { user: "juliet", server: "other.test" }], value: 2 },
    { acl: [{ user: "juliet", resource: "orchard" }], value: 3 },
    { acl: [{ user: "romeo" }, { resource: "balcony" }], value: 4 },
    { acl: [{}], value: 5 },
  ];
  expect(valueFor(rules, juliet)).toBe(4);
  expect(valueFor(rules, new Jid("juliet", "localhost", "orchard"))).toBe(3);
  expect(valueFor(rules, new Jid("juliet", "other.test", "balcony"))).toBe(2);
  expect(valueFor(rules, new Jid("nurse", "localhost", "kitchen"))).toBe(5);
  expect(valueFor(rules.slice(0, 3), juliet)).toBeUndefined();
});

function nodeWith(access: Config["listen"][number]["access"], more: Partial<Config> = {}) {
  const listen = smallConfig.listen.map((each) => ({ ...each, access }));
  return new SmallNode({ config: { ...smallConfig, listen, ...more } });
}

test("access: whom a rule denies is told so instead of being bound [RFC 6120 §7.6.2.2]", () => {
  const node = nodeWith([
    { acl: [{ user: "romeo" }, { user: "nurse", resource: "kitchen" }], value: "deny" },
    { acl: [{}], value: "allow" },
  ]);
  const refused = node.read(node.login("romeo", "r"));
  expect(refused).toMatch(/<success.*<iq id='b' type='error'><error type='cancel'><not-allowed/);
  expect(node.read(node.login("nurse", "kitchen"))).toContain("<not-allowed");
  expect(node.read(node.login("nurse", "stairs"))).toContain("<jid>nurse@localhost/stairs</jid>");
  expect(node.read(node.login("juliet", "j"))).toContain("<jid>juliet@localhost/j</jid>");
});

test("access: whom no rule names is not bound; without rules everybody is", () => {
  const closed = nodeWith([{ acl: [{ user: "juliet" }], value: "allow" }]);
  expect(closed.read(closed.login("romeo", "r"))).toContain("<not-allowed");
  expect(closed.read(closed.login("juliet", "j"))).toContain("<jid>");
  const open = nodeWith(undefined);
  expect(open.read(open.login("romeo", "r"))).toContain("<jid>");
});

test("access: sessions of a user are counted against the user's own maximum", () => {
  const max_user_sessions = [{ acl: [{ user: "juliet" }], value: 2 }];
  const sessions = { ...smallConfig.sessions, max_per_user: 1, max_user_sessions };
  const node = nodeWith(undefined, { sessions });
  const outcome = (user: string, resource: string): string =>
    /<(jid|resource-constraint)/.exec(node.read(node.login(user, resource)))?.[1] ?? "nothing";
  expect(["a", "b", "c"].map((resource) => outcome("juliet", resource))).toEqual([
    "jid",
    "jid",
    "resource-constraint",
  ]);
  expect(["a", "b"].map((resource) => outcome("romeo", resource))).toEqual([
    "jid",
    "resource-constraint",
  ]);
});

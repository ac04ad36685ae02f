/** XEP-0077 through its one file: the form, a new account, another password, removal, and all refusals. */
import { expect, test } from "vitest";
import { inBandRegistration as feature } from "../../src/modules/in-band-registration.ts";
import { accountExists, lookupKeys } from "../../src/storage/accounts.ts";
import type { HashName } from "../../src/ports/crypto.ts";
import { hashNames } from "../../src/stream/sasl/scram.ts";
import { Host } from "./ask.ts";

const query = (inside: string): string => `<query xmlns='jabber:iq:register'>${inside}</query>`;
const set = (inside: string): string => `<iq type='set' id='r'>${query(inside)}</iq>`;
const names = (user: string, password: string): string =>
  `<username>${user}</username><password>${password}</password>`;
const own = "set self jabber:iq:register";

function hostWithJuliet(): Host {
  const host = new Host();
  expect(host.register(feature, set(names("Juliet", "r0m30")))).toContain("type='result'");
  return host;
}

const keysOf = (host: Host, hash: HashName = "sha-256") =>
  host.run(lookupKeys("localhost", "juliet", hash));

test("registration: the form before an account [XEP-0077 §3.1]", () => {
  const form = new Host().register(feature, `<iq type='get' id='r'>${query("")}</iq>`);
  for (const field of ["<instructions>", "<username/>", "<password/>"]) {
    expect(form).toContain(field);
  }
});

test("registration: a new account has a prepared name and salted keys for every hash", () => {
  const host = hostWithJuliet();
  expect(host.run(accountExists("localhost", "juliet"))).toBe(true);
  for (const hash of ["sha-1", "sha-256", "sha-512"] as const) {
    expect(host.run(lookupKeys("localhost", "juliet", hash))?.iterations).toBe(2);
  }
});

test.each([
  ["", "not-acceptable"],
  ["<username>romeo</username>", "not-acceptable"],
  ["<password>x</password>", "not-acceptable"],
  [names("a b", "x"), "not-acceptable"],
  [names("romeo@localhost", "x"), "not-acceptable"],
  [names("romeo", "&#9;"), "not-acceptable"],
  [names("JULIET", "x"), "conflict"],
])("registration: %s is refused with %s [XEP-0077 §3.1.1]", (fields, condition) => {
  expect(hostWithJuliet().register(feature, set(fields))).toContain(`<${condition} `);
});

test("registration: who is registered is told so [XEP-0077 §3.1]", () => {
  const answer = hostWithJuliet().ask(feature, "get self jabber:iq:register", query(""));
  expect(answer).toContain("<registered/><username>juliet</username>");
});

test("registration: another password makes other keys [XEP-0077 §3.3]", () => {
  const host = hostWithJuliet();
  const before = hashNames.map((hash) => keysOf(host, hash)?.storedKey);
  expect(host.ask(feature, own, query(names("juliet", "other")))).toContain("type='result'");
  for (const [at, hash] of hashNames.entries()) {
    expect(keysOf(host, hash)?.storedKey).not.toEqual(before[at]);
  }
});

test.each([
  ["juliet", names("romeo", "x"), "not-allowed"],
  ["juliet", "<username>juliet</username>", "bad-request"],
  ["juliet", names("juliet", "&#9;"), "bad-request"],
  ["juliet", `<remove/>${names("juliet", "x")}`, "bad-request"],
  ["anonymous-07", names("anonymous-07", "x"), "unexpected-request"],
  ["anonymous-07", "<remove/>", "registration-required"],
])("registration: %s sends %s: %s [XEP-0077 §3.2, §3.3]", (user, fields, condition) => {
  const host = hostWithJuliet();
  const before = keysOf(host);
  expect(host.ask(feature, own, query(fields), user)).toContain(`<${condition} `);
  expect(keysOf(host)).toEqual(before);
});

test("registration: who leaves is forgotten, and its sessions end [XEP-0077 §3.2]", () => {
  const host = hostWithJuliet();
  expect(host.ask(feature, own, query("<remove/>"))).toContain("type='result'");
  expect(host.ended).toEqual(["juliet@localhost"]);
  expect(host.run(accountExists("localhost", "juliet"))).toBe(false);
  expect(keysOf(host)).toBeUndefined();
});

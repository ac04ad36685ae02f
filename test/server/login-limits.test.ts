/** Failed logins of an address: how many are answered, what an address is, and who else feels it. */
import { expect, test } from "vitest";
import { bytesFromText, fromBase64, textFromBytes, toBase64 } from "../../src/base/bytes.ts";
import { customerNetwork } from "../../src/base/ip-network.ts";
import { LoginLimits } from "../../src/server/login-limits.ts";
import { header, smallConfig, SmallNode } from "./small-node.ts";

const options = { max: 3, period: 30_000, addressesMax: 100 };

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:1:2::9", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
  ["unix:/tmp/socket", "unix:/tmp/socket"],
])("login limits: %s counts for %s", (address, network) => {
  expect(customerNetwork(address)).toBe(network);
});

test("login limits: a full bucket gives no verdict until a whole failure has leaked", () => {
  const limits = new LoginLimits(options);
  expect([1, 2, 3].map((at) => limits.failed(at, "192.0.2.7"))).toEqual([false, false, true]);
  expect(limits.allows(3, "192.0.2.7")).toBe(false);
  expect(limits.allows(9_000, "192.0.2.7")).toBe(false);
  expect(limits.allows(10_001, "192.0.2.7")).toBe(true);
  expect(limits.failed(10_001, "192.0.2.7")).toBe(true);
  expect(limits.allows(10_002, "192.0.2.7")).toBe(false);
  expect(limits.allows(60_000, "192.0.2.7")).toBe(true);
});

test("login limits: one /64 is one address, its neighbours are others", () => {
  const limits = new LoginLimits(options);
  for (const host of [1, 2, 3]) limits.failed(0, `2001:db8:1:2::${host}`);
  expect(limits.allows(0, "2001:db8:1:2:ffff::1")).toBe(false);
  expect(limits.allows(0, "2001:db8:1:3::1")).toBe(true);
  expect(limits.allows(0, "192.0.2.7")).toBe(true);
});

test("login limits: 0 is no limit, and nothing is remembered", () => {
  const limits = new LoginLimits({ ...options, max: 0 });
  for (let i = 0; i < 10; i++) expect(limits.failed(0, "192.0.2.7")).toBe(false);
  expect(limits.allows(0, "192.0.2.7")).toBe(true);
  expect(limits.size).toBe(0);
});

test("login limits: what has leaked away is forgotten", () => {
  const limits = new LoginLimits(options);
  for (let i = 0; i < 100; i++) limits.failed(0, `192.0.2.${i}`);
  expect(limits.size).toBe(100);
  for (let i = 0; i < 100; i++) limits.failed(60_000 + i, "198.51.100.1");
  expect(limits.size).toBe(1);
});

function attempt(password: string): string {
  const plain = toBase64(bytesFromText(`\0juliet\0${password}`));
  return `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`;
}

test("logins: over the limit neither a wrong nor a right password gets a verdict [RFC 6120 §6.5.10]", () => {
  const auth = { ...smallConfig.auth, max_failed_logins_per_address: 4 };
  const node = new SmallNode({ config: { ...smallConfig, auth } });
  const limited = (): number | undefined =>
    node.server.metrics.find(({ name }) => name === "meerkat_logins_limited_total")?.value;
  const answers = (): readonly string[] => {
    const connection = node.connect(header + attempt("wrong") + attempt("wrong"));
    return [...node.read(connection).matchAll(/<failure[^>]*><([a-z-]+)/g)].map(([, c = ""]) => c);
  };
  expect(answers()).toEqual(["not-authorized", "not-authorized"]);
  expect(node.read(node.connect(header + attempt("secret")))).toContain("<success");
  expect(answers()).toEqual(["not-authorized", "not-authorized"]);
  expect(limited()).toBe(0);
  const { queries } = node;
  expect(answers()).toEqual(["temporary-auth-failure", "temporary-auth-failure"]);
  expect(node.queries).toBe(queries); // nobody is looked up for them
  expect(node.read(node.connect(header + attempt("secret")))).toContain(
    "<temporary-auth-failure/>",
  );
  expect(limited()).toBe(3);
  node.after(smallConfig.auth.failed_logins_period / 4);
  expect(node.read(node.connect(header + attempt("secret")))).toContain("<success");
});

test("logins: guesses that run side by side get no more verdicts than those in a row", () => {
  const auth = { ...smallConfig.auth, max_failed_logins_per_address: 3 };
  const sasl_mechanisms = ["SCRAM-SHA-256"] as const;
  const node = new SmallNode({ config: { ...smallConfig, auth: { ...auth, sasl_mechanisms } } });
  const sasl = (name: string, text: string): string =>
    `<${name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>${toBase64(bytesFromText(text))}</${name}>`;
  const guesses = Array.from({ length: 8 }, () =>
    node.connect(header + sasl("auth", "n,,n=juliet,r=nonce")),
  );
  const verdicts = guesses.map((connection) => {
    const [, challenge = ""] = /<challenge[^>]*>([^<]+)/.exec(node.read(connection)) ?? [];
    const [nonce = ""] = textFromBytes(fromBase64(challenge) ?? new Uint8Array(0)).split(",");
    node.send(connection, sasl("response", `c=biws,${nonce},p=${toBase64(new Uint8Array(32))}`));
    return /<failure[^>]*><([a-z-]+)/.exec(node.read(connection))?.[1];
  });
  expect(verdicts).toEqual([
    ...new Array<string>(3).fill("not-authorized"),
    ...new Array<string>(5).fill("temporary-auth-failure"),
  ]);
});

/** SASL mechanisms: the server's side against a client's written apart from it, and the RFCs' vectors. */
import { expect, test } from "vitest";
import { anonymousClient, externalClient } from "../../../sim/clients/sasl.ts";
import { plainClient, type Lie } from "../../../sim/clients/authentication.ts";
import { bytesFromText, fromBase64, textFromBytes } from "../../../src/base/bytes.ts";
import type { Mechanism } from "../../../src/stream/sasl/exchange.ts";
import { mechanisms, offered } from "../../../src/stream/sasl/index.ts";
import { login, overTls, scene, scramAs } from "./support.ts";

const scrams = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"];
const all = [...scrams.map((name) => `${name}-PLUS`), ...scrams];

function named(name: string): Mechanism {
  const mechanism = mechanisms.get(name);
  if (mechanism === undefined) throw new TypeError(name);
  return mechanism;
}

test("scram: the client's proof is that of RFC 5802 §5", () => {
  const client = scramAs("SCRAM-SHA-1", "user", "pencil", {
    random: { bytes: () => fromBase64("fyko+d2lbbFgONRv9qkxdawL") ?? new Uint8Array(0) },
  });
  expect(textFromBytes(client.initial())).toBe("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
  const challenge = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
  expect(textFromBytes(client.respond(bytesFromText(challenge)) ?? new Uint8Array(0))).toBe(
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
  );
  expect(client.accepts(bytesFromText("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="))).toBe(true);
});

test("scram: the client's proof is that of RFC 7677 §3", () => {
  const client = scramAs("SCRAM-SHA-256", "user", "pencil", {
    random: { bytes: () => fromBase64("rOprNGfwEbeRWgbNEkqO") ?? new Uint8Array(0) },
  });
  const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const challenge = `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
  client.initial();
  expect(textFromBytes(client.respond(bytesFromText(challenge)) ?? new Uint8Array(0))).toBe(
    `c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
  );
  const signature = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
  expect(client.accepts(bytesFromText(signature))).toBe(true);
});

test.each(all)("%s: both sides prove themselves", (name) => {
  for (const initial of [true, false]) {
    const { context } = scene();
    const done = login(named(name), context, scramAs(name, "Juliet", "r0m30"), undefined, initial);
    expect(done.outcome).toMatchObject({ type: "success", username: "juliet" });
    expect(done.trusted).toBe(true);
  }
});

test.each(["tls-exporter", "tls-server-end-point"] as const)("scram: binds by %s", (binding) => {
  const name = "SCRAM-SHA-256-PLUS";
  const { context } = scene();
  const right = scramAs(name, "juliet", "r0m30", { binding });
  expect(login(named(name), context, right).outcome.type).toBe("success");
  const otherChannel = { ...overTls, bindings: { [binding]: bytesFromText("another channel") } };
  const relayed = scramAs(name, "juliet", "r0m30", { binding, tls: otherChannel });
  expect(login(named(name), context, relayed).outcome).toEqual({
    type: "failure",
    condition: "not-authorized",
  });
});

test("scram: a binding that the connection lacks is refused", () => {
  const name = "SCRAM-SHA-256-PLUS";
  const asked = scramAs(name, "juliet", "r0m30", { binding: "tls-unique" });
  expect(login(named(name), scene().context, asked).outcome.type).toBe("failure");
});

test("scram: flag y where -PLUS is offered means that somebody removed it [RFC 5802 §6]", () => {
  const name = "SCRAM-SHA-256";
  const client = () => scramAs(name, "juliet", "r0m30", { flag: "y" });
  expect(login(named(name), scene().context, client()).outcome.type).toBe("failure");
  const { context } = scene({ plusOffered: false });
  expect(login(named(name), context, client()).outcome.type).toBe("success");
});

/** How a wrong password and an unknown user are tried: equal in all that can be seen or counted. */
const attempts: readonly (readonly [string, (user: string) => ReturnType<typeof plainClient>])[] = [
  ...all.map((name) => [name, (user: string) => scramAs(name, user, "wrong")] as const),
  ["PLAIN", (user: string) => plainClient(user, "wrong")],
];

test.each(attempts)("%s: an unknown user looks like a wrong password", (name, client) => {
  const known = scene();
  const unknown = scene();
  const wrong = login(named(name), known.context, client("juliet"), known.counts);
  const nobody = login(named(name), unknown.context, client("rosaline"), unknown.counts);
  expect(nobody.outcome).toEqual(wrong.outcome);
  expect(wrong.outcome).toEqual({ type: "failure", condition: "not-authorized" });
  expect(unknown.counts).toEqual(known.counts);
  expect(known.counts.hmac).toBeGreaterThan(0);
  const shape = (data: Uint8Array): string => textFromBytes(data).replace(/s=[^,]+/, "s=…");
  expect(nobody.challenges.map(shape)).toEqual(wrong.challenges.map(shape));
  const again = login(named(name), scene().context, client("rosaline"));
  expect(again.challenges).toEqual(nobody.challenges); // the false salt repeats
});

test("scram: malformed messages", () => {
  const messages = [
    "",
    "n",
    "n,,",
    "n,,n=,r=x",
    "n,,n=a",
    "n,,m=x,n=a,r=b",
    "p=,,n=a,r=b",
    "p=n,,n=a,r=b",
    "x,,n=a,r=b",
  ];
  for (const message of messages) {
    const client = { ...scramAs("SCRAM-SHA-1", "a", "b"), initial: () => bytesFromText(message) };
    const { outcome } = login(named("SCRAM-SHA-1"), scene().context, client);
    expect([message, outcome]).toEqual([
      message,
      { type: "failure", condition: "malformed-request" },
    ]);
  }
});

test("scram: a right proof for another nonce, or in another's name, is refused", () => {
  const outcome = (lie?: Lie) =>
    login(
      named("SCRAM-SHA-256"),
      scene({ plusOffered: false }).context,
      scramAs("SCRAM-SHA-256", "juliet", "r0m30", { lie }),
    ).outcome;
  expect(outcome().type).toBe("success");
  expect(outcome("nonce")).toEqual({ type: "failure", condition: "not-authorized" });
  expect(outcome("identity")).toEqual({ type: "failure", condition: "invalid-authzid" });
});

test("plain: the right password, names prepared, identities of others refused [RFC 4616]", () => {
  const run = (text: string) =>
    login(named("PLAIN"), scene().context, {
      ...plainClient("", ""),
      initial: () => bytesFromText(text),
    }).outcome;
  expect(run("\0Juliet\0r0m30")).toEqual({ type: "success", username: "juliet" });
  expect(run("Juliet@Capulet.example\0juliet\0r0m30").type).toBe("success");
  expect(run("romeo@capulet.example\0juliet\0r0m30")).toMatchObject({
    condition: "invalid-authzid",
  });
  expect(run("\0juliet\0r0m3o")).toMatchObject({ condition: "not-authorized" });
  expect(run("juliet\0r0m30")).toMatchObject({ condition: "malformed-request" });
  expect(run("\0\0")).toMatchObject({ condition: "malformed-request" });
});

test("external: only addresses that the certificate names and that exist [XEP-0178]", () => {
  const run = (certifiedAddresses: readonly string[], identity?: string) =>
    login(
      named("EXTERNAL"),
      scene({ tls: { ...overTls, certifiedAddresses } }).context,
      externalClient(identity),
    ).outcome;
  expect(run(["juliet@capulet.example"])).toEqual({ type: "success", username: "juliet" });
  expect(run(["romeo@capulet.example"])).toMatchObject({ condition: "not-authorized" });
  expect(run(["juliet@montague.example"])).toMatchObject({ condition: "not-authorized" });
  const two = ["juliet@capulet.example", "nurse@capulet.example"];
  expect(run(two)).toMatchObject({ condition: "not-authorized" });
  expect(run(two, "juliet@capulet.example").type).toBe("success");
  expect(run(two, "romeo@capulet.example")).toMatchObject({ condition: "invalid-authzid" });
  expect(run([])).toMatchObject({ condition: "not-authorized" });
});

test("anonymous: a fresh name", () => {
  const { outcome } = login(named("ANONYMOUS"), scene().context, anonymousClient());
  expect(outcome).toEqual({ type: "success", username: `anonymous-${"07".repeat(16)}` });
});

test("offered: what a connection allows, in the configured order", () => {
  const configured = ["SCRAM-SHA-256-PLUS", "EXTERNAL", "SCRAM-SHA-256", "PLAIN"];
  const none = { tls: undefined, allowPlaintext: false, externalPossible: false };
  expect(offered(configured, none)).toEqual(["SCRAM-SHA-256"]);
  expect(offered(configured, { ...none, allowPlaintext: true })).toEqual([
    "SCRAM-SHA-256",
    "PLAIN",
  ]);
  expect(offered(configured, { ...none, tls: overTls, externalPossible: true })).toEqual(
    configured,
  );
});

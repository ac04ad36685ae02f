/**
 * Laws of SCRAM: whoever knows the password gets in and knows its server, whatever the names, passwords, salts and
 * channels are; and what is changed in any one place, by the client or on its way, gets nobody in.
 *
 * The client is the simulator's, written apart from the server (sim/clients/sasl.ts). How the elements around these
 * messages are cut is a matter of the stream (c2s.test.ts).
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ClientSasl, Lie } from "../../sim/clients/authentication.ts";
import { bytesFromText, fromBase64, textFromBytes, toHex } from "../../src/base/bytes.ts";
import type { TlsInfo } from "../../src/ports/network.ts";
import type { Mechanism, SaslContext } from "../../src/stream/sasl/exchange.ts";
import { mechanisms } from "../../src/stream/sasl/index.ts";
import { hashNames, makeScramKeys } from "../../src/stream/sasl/scram.ts";
import { preparePassword, prepareUsername } from "../../src/xmpp/jid.ts";
import {
  login,
  overTls,
  pure,
  scene,
  scramAs,
  type Login,
} from "../../test/stream/sasl/support.ts";

/** With what SCRAM writes otherwise, what preparing changes, and what is no ASCII. */
const character = fc.oneof(
  fc.constantFrom(
    ..."azAZ09,=-.+",
    "=2C",
    "=3D",
    ",r=",
    "é",
    "ß",
    "Å",
    "ﬁ",
    "Ｊ",
    "王",
    "𝒳",
    "e\u0301",
  ),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
);
const word = fc.array(character, { minLength: 1, maxLength: 12 }).map((all) => all.join(""));
const user = word.filter((name) => prepareUsername(name) !== undefined);
const password = fc
  .oneof(word, fc.string({ minLength: 1 }))
  .map(preparePassword)
  .filter((prepared) => prepared !== undefined);
const bytes = (minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength });

type Binding = keyof TlsInfo["bindings"];

/** An account, a connection and the mechanism that is used on it. */
interface Case {
  readonly user: string;
  readonly password: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly hash: (typeof hashNames)[number];
  /** Undefined: no -PLUS. */
  readonly binding: Binding | undefined;
  readonly channel: Uint8Array;
  /** It would bind its channel, but is offered nothing that does. */
  readonly sawNoPlus: boolean;
  readonly initial: boolean;
  readonly nonces: readonly [client: Uint8Array, server: Uint8Array];
}

const cases: fc.Arbitrary<Case> = fc.record({
  user,
  password,
  salt: bytes(1, 24),
  iterations: fc.integer({ min: 1, max: 40 }),
  hash: fc.constantFrom(...hashNames),
  binding: fc.constantFrom(
    ...([undefined, "tls-exporter", "tls-unique", "tls-server-end-point"] as const),
  ),
  channel: bytes(1, 40),
  sawNoPlus: fc.boolean(),
  initial: fc.boolean(),
  nonces: fc.tuple(bytes(18), bytes(18)),
});

/** What is other than it should be. */
interface Wrong {
  readonly password?: string;
  /** Of the connection that the client sees: somebody sits between the two. */
  readonly channel?: Uint8Array;
  readonly lie?: Lie;
  readonly onTheWay?: (client: ClientSasl) => ClientSasl;
}

function attempt(each: Case, wrong: Wrong = {}): Login {
  const { hash, salt, iterations, binding, sawNoPlus, nonces } = each;
  const name = `SCRAM-${hash.toUpperCase()}${binding === undefined ? "" : "-PLUS"}`;
  const tlsOf = (data: Uint8Array): TlsInfo => ({
    ...overTls,
    bindings: { [binding ?? "tls-exporter"]: data },
  });
  const known = prepareUsername(each.user);
  const derivation = { hash, password: bytesFromText(each.password), salt, iterations };
  const keys = makeScramKeys(pure, hash, pure.derive(derivation), salt, iterations);
  const { context } = scene({
    tls: tlsOf(each.channel),
    plusOffered: !sawNoPlus,
    entropy: { bytes: () => nonces[1] },
    *lookup(username): ReturnType<SaslContext["lookup"]> {
      return username === known ? keys : undefined;
    },
  });
  const client = scramAs(name, each.user, wrong.password ?? each.password, {
    tls: tlsOf(wrong.channel ?? each.channel),
    ...(binding === undefined ? { flag: sawNoPlus ? "y" : "n" } : { binding }),
    lie: wrong.lie,
    random: { bytes: () => nonces[0] },
  });
  const { onTheWay = (same) => same } = wrong;
  return login(mechanismOf(name), context, onTheWay(client), undefined, each.initial);
}

function mechanismOf(name: string): Mechanism {
  const mechanism = mechanisms.get(name);
  if (mechanism === undefined) throw new TypeError(name);
  return mechanism;
}

test("scram: whoever knows the password gets in, and knows its server", () => {
  fc.assert(
    fc.property(cases, (each) => {
      const { outcome, trusted } = attempt(each);
      expect(outcome).toMatchObject({ type: "success", username: prepareUsername(each.user) });
      expect(trusted).toBe(true);
    }),
    { numRuns: 400 },
  );
});

test("scram: who lies in one thing is refused, and who says the same truly is not", () => {
  const refused = new Map<string, number>();
  const lies = fc.oneof(
    password.map((other) => ["password", { password: other }] as const),
    bytes(1, 40).map((other) => ["channel", { channel: other }] as const),
    fc.constant(["nonce", { lie: "nonce" }] as const),
    fc.constant(["identity", { lie: "identity" }] as const),
  );
  fc.assert(
    fc.property(cases, lies, (each, [what, wrong]) => {
      fc.pre(!("password" in wrong) || wrong.password !== each.password);
      fc.pre(!("channel" in wrong) || differs(wrong.channel, each.channel));
      // A channel that is not bound may be any.
      const harmless = what === "channel" && each.binding === undefined;
      const { outcome, trusted } = attempt(each, wrong);
      if (harmless) {
        expect(outcome.type).toBe("success");
        return;
      }
      const condition = what === "identity" ? "invalid-authzid" : "not-authorized";
      expect(outcome).toEqual({ type: "failure", condition });
      expect(trusted).toBe(false);
      refused.set(what, (refused.get(what) ?? 0) + 1);
    }),
    { numRuns: 600 },
  );
  for (const what of ["password", "channel", "nonce", "identity"]) {
    expect([what, (refused.get(what) ?? 0) > 50]).toEqual([what, true]);
  }
});

const messages = ["first", "challenge", "final", "signature"] as const;
type Message = (typeof messages)[number];

/** One character of one message is another, is lost, or has another before it. */
interface Change {
  readonly message: Message;
  /** As a part of the message's length. */
  readonly at: number;
  readonly how: "replaced" | "lost" | "put before";
  readonly by: string;
}

const changes: fc.Arbitrary<Change> = fc.record({
  message: fc.constantFrom(...messages),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  how: fc.constantFrom("replaced", "lost", "put before"),
  by: fc.oneof(
    fc.constantFrom(..."nyp=,acrsvi+/09AZaz"),
    fc.string({ minLength: 1, maxLength: 1 }),
  ),
});

test("scram: a message that one character was changed of on its way gets nobody in", () => {
  const refused = new Map<Message, number>();
  fc.assert(
    fc.property(cases, changes, (each, change) => {
      let changed = false;
      const through = (message: Message, data: Uint8Array): Uint8Array => {
        if (message !== change.message || data.length === 0) return data;
        const before = textFromBytes(data);
        const after = changedText(before, change);
        changed = essence(after) !== essence(before);
        return bytesFromText(after);
      };
      const { outcome, trusted } = attempt(each, {
        onTheWay: (client) => meddled(client, through),
      });
      expect(changed || (outcome.type === "success" && trusted)).toBe(true);
      if (!changed) return;
      // The last word is the server's, so that the client alone sees what became of it.
      expect(outcome.type).toBe(change.message === "signature" ? "success" : "failure");
      expect(trusted).toBe(false);
      refused.set(change.message, (refused.get(change.message) ?? 0) + 1);
    }),
    { numRuns: 1_500 },
  );
  for (const message of messages) {
    expect([message, (refused.get(message) ?? 0) > 200]).toEqual([message, true]);
  }
});

/** A proof is bytes: the spare bits of its last digit say nothing (RFC 4648 §3.5). */
function essence(message: string): string {
  const [, before, proof = ""] = /^(.*,p=)(.*)$/s.exec(message) ?? [];
  const decoded = fromBase64(proof);
  return before === undefined || decoded === undefined ? message : before + toHex(decoded);
}

function changedText(text: string, { at, how, by }: Change): string {
  const characters = [...text];
  const place = Math.floor(at * characters.length);
  if (how === "lost") return characters.toSpliced(place, 1).join("");
  return characters.toSpliced(place, how === "replaced" ? 1 : 0, by).join("");
}

function meddled(
  client: ClientSasl,
  through: (message: Message, data: Uint8Array) => Uint8Array,
): ClientSasl {
  return {
    ...client,
    initial: () => through("first", client.initial()),
    respond: (data) => {
      const final = client.respond(through("challenge", data));
      return final === undefined ? undefined : through("final", final);
    },
    accepts: (data) => client.accepts(through("signature", data)),
  };
}

function differs(one: Uint8Array, other: Uint8Array): boolean {
  return one.length !== other.length || one.some((byte, index) => byte !== other[index]);
}

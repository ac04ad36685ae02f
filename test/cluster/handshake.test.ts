import fc from "fast-check";
import { expect, test } from "vitest";
import { binaryFromBytes, bytesFromBinary, equalBytes } from "../../src/base/bytes.ts";
import { uint, WireError } from "../../src/cluster/codec.ts";
import {
  proofOf,
  readHello,
  readRefused,
  refusedFrame,
  sessionOf,
  writeHello,
  writeRefusal,
  type Hello,
  type Incompatible,
} from "../../src/cluster/handshake.ts";
import { FrameReader } from "../../src/cluster/wire.ts";
import { hmac } from "../../properties/cluster/links-chance.ts";

const bytes = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((each) => binaryFromBytes(each));
const session = fc.oneof(fc.constant(""), bytes(32));
const hello: fc.Arbitrary<Hello> = fc.record({
  min: fc.constant(1),
  max: fc.integer({ min: 1, max: 9 }),
  cluster: fc.string({ maxLength: 30 }),
  peer: fc.record({
    name: fc.string({ minLength: 1, maxLength: 60 }),
    incarnation: fc.maxSafeInteger().map((n) => Math.abs(n)),
    boot: bytes(8).map((each) => Buffer.from(each, "latin1").toString("hex")),
  }),
  nonce: bytes(16),
  features: fc.array(fc.string({ maxLength: 16 }), { maxLength: 5 }),
  session,
  received: fc.nat(),
  lastGivenUp: fc.record({ session, received: fc.nat() }),
  accepted: fc.nat(),
  dial: fc.nat(),
  options: fc
    .dictionary(fc.string({ maxLength: 8 }), bytes(5))
    .map((o) => new Map(Object.entries(o))),
});

const versions = { min: 1, max: 1 };
const read = (body: string): Hello | Incompatible => readHello(bytesFromBinary(body), versions);

test("handshake: a hello is read as it was written, whatever a later release appends", () => {
  fc.assert(
    fc.property(hello, fc.string({ maxLength: 9 }), (each, later) => {
      const body = writeHello(each);
      expect(read(body + Buffer.from(later).toString("latin1"))).toEqual(each);
    }),
  );
});

test("handshake: a hello cut anywhere is refused, and so is what never was one", () => {
  fc.assert(
    fc.property(hello, fc.nat(1_000), (each, cut) => {
      const body = writeHello(each);
      expect(() => read(body.slice(0, cut % body.length))).toThrow(WireError);
    }),
  );
  expect(() => read("GET / HTTP/1.1\r\n\r\n")).toThrow("no node of ours");
});

test("handshake: without a common version only the range is read", () => {
  expect(read(`mrkt${uint(2)}${uint(3)}something else`)).toEqual({ speaks: { min: 2, max: 3 } });
});

test("handshake: † a proof depends on the role, both hellos, the connection, the secret and what is said", () => {
  const options = { hmac, secret: bytesFromBinary("secret") };
  const hellos = { own: "one", peer: "two" };
  const proofs = [
    proofOf(options, "dialler", hellos, ""),
    proofOf(options, "acceptor", hellos, ""),
    proofOf(options, "dialler", { own: "two", peer: "one" }, ""),
    proofOf(options, "dialler", { own: "on", peer: "etwo" }, ""),
    proofOf(options, "dialler", hellos, "binding"),
    proofOf(options, "dialler", hellos, "", "binding"),
    proofOf({ ...options, secret: bytesFromBinary("Secret") }, "dialler", hellos, ""),
  ];
  for (const [at, proof] of proofs.entries()) {
    expect(proofs.findIndex((other) => equalBytes(other, proof))).toBe(at);
  }
});

test("handshake: a session is named by the dialler's nonce, then the acceptor's", () => {
  const [one, two] = fc.sample(hello, { numRuns: 2, seed: 1 });
  if (one === undefined || two === undefined) throw new Error("two were asked for");
  expect(sessionOf(one, two)).toBe(one.nonce + two.nonce);
});

test("handshake: a refusal carries its reason and who is up; reasons of later releases are read", () => {
  const by = { name: "a", incarnation: 7, boot: "0123456789abcdef" };
  const says = writeRefusal("superseded", "é".repeat(300), by);
  const reader = new FrameReader(4_096);
  reader.push(bytesFromBinary(refusedFrame(says, bytesFromBinary("proof"))));
  expect(reader.next()).toBe(true);
  expect(readRefused(reader.body.bytes)).toMatchObject({ refusal: "superseded", by, says });
  const later = `\x63${says.slice(1)}`;
  reader.push(bytesFromBinary(refusedFrame(later)));
  expect(reader.next()).toBe(true);
  expect(readRefused(reader.body.bytes).refusal).toBe("other");
});

/** Laws of routing across nodes: where a session is decides nothing but how it is reached. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { binaryFromBytes, bytesFromBinary } from "../../src/base/bytes.ts";
import { Piece } from "../../src/base/chunk.ts";
import { survives, type Claimant } from "../../src/router/session-conflict.ts";
import {
  bareKey,
  decodeSession,
  encodeSession,
  isAvailable,
  priorityIn,
  stampIn,
} from "../../src/router/session-record.ts";
import { decodeFrame, encodeFrame } from "../../src/router/stanza-frame.ts";
import { Scene, stanza, wordsOf } from "../../test/router/scene.ts";
import { SplitScene } from "../../test/router/split-scene.ts";

const priority = fc.option(fc.integer({ min: -128, max: 127 }), { nil: undefined });
const resources = fc.dictionary(
  fc.constantFrom("a", "b", "c", "d", "e"),
  fc.record({ priority, there: fc.boolean() }),
  { maxKeys: 5 },
);
const addressee = fc.constantFrom(
  ...["romeo@localhost", "romeo@localhost/a", "romeo@localhost/z", "ROMEO@LOCALHOST/a"],
  ...["nobody@localhost", "nobody@localhost/a", "localhost", "romeo@elsewhere.test"],
);
const tag = fc.constantFrom(
  ...["message", "message type='chat'", "message type='groupchat'", "message type='headline'"],
  ...["message type='error'", "presence", "presence type='unavailable'", "presence type='error'"],
  ...["iq id='1' type='get'", "iq id='1' type='result'", "iq id='1' type='error'"],
);

type Placed = Readonly<Record<string, { priority: number | undefined; there: boolean }>>;

/**
 * What becomes of it, as words in order: the same for a session here and one elsewhere. An answer for nobody goes
 * nowhere; in a cluster it waits first, since the asker's node may be out of sight.
 */
function fate(scene: Scene, opened: string, to: string, bound: Placed): string {
  const juliet = scene.bind("juliet@localhost/balcony", 0);
  for (const [resource, { priority: value, there }] of Object.entries(bound)) {
    const full = `romeo@localhost/${resource}`;
    if (there && scene instanceof SplitScene) scene.bindThere(full, value);
    else scene.bind(full, value);
  }
  const name = opened.split(" ")[0] ?? "";
  const effects = scene.send(juliet, `<${opened} to='${to}'><x xmlns='urn:x'/></${name}>`);
  const words = wordsOf(effects, juliet).split(" ");
  return words
    .map((word) => word.replace(/^.*@localhost\//, "").replace("stranded", "-"))
    .toSorted()
    .join(" ");
}

test("router: who gets a stanza does not depend on the nodes that sessions are on", () => {
  fc.assert(
    fc.property(tag, addressee, resources, (opened, to, bound) => {
      expect(fate(new SplitScene(), opened, to, bound)).toBe(fate(new Scene(), opened, to, bound));
    }),
    { numRuns: 1_000 },
  );
});

test("router: a message that comes back is delivered to somebody or answered, never dropped", () => {
  const said = fc.constantFrom("", " type='normal'", " type='chat'");
  const to = fc.constantFrom("romeo@localhost", "romeo@localhost/a", "romeo@localhost/z");
  fc.assert(
    fc.property(said, to, resources, fc.nat(6), (type, addressed, bound, hops) => {
      const scene = new SplitScene();
      scene.bind("juliet@localhost/balcony", 0);
      for (const [resource, { priority: value, there }] of Object.entries(bound)) {
        const full = `romeo@localhost/${resource}`;
        if (there) scene.bindThere(full, value);
        else scene.bind(full, value);
      }
      const message = `<message from='juliet@localhost/balcony' to='${addressed}'${type}/>`;
      const id = { origin: "0123456789abcdef n1", counter: 1 };
      const transit = { id, maybe: true, hops, target: "romeo@localhost/a" };
      const effects = scene.router.reroute(stanza(message), transit) ?? [];
      expect(effects.length).toBeGreaterThan(0);
      for (const effect of effects) {
        // What goes on keeps its id; an answer to the sender begins anew.
        if (effect.type === "forward") expect(effect.transit?.id).toEqual(id);
      }
    }),
    { numRuns: 1_000 },
  );
});

const sid = fc.stringMatching(/^[0-9a-f]{32}$/);
const stamp = fc.oneof(fc.nat(), fc.maxSafeNat());
const claimant: fc.Arbitrary<Claimant> = fc.record({
  stamp: fc.nat(3),
  sid: fc.constantFrom("aa", "bb", "cc"),
  gen: fc.nat(2),
  attached: fc.boolean(),
  node: fc.constantFrom("n1", "n2", "n3"),
});

test("conflict: of two sessions on two nodes exactly one stays, whoever asks", () => {
  fc.assert(
    fc.property(claimant, claimant, (one, other) => {
      fc.pre(one.node !== other.node);
      expect(survives(one, other)).toBe(!survives(other, one));
    }),
  );
});

test("conflict: of any number of sessions one beats all others", () => {
  const nodes = ["n1", "n2", "n3", "n4", "n5"];
  const claimants = fc
    .array(claimant, { minLength: 2, maxLength: 5 })
    .map((all) => all.map((each, i) => ({ ...each, sid: `s${i}`, node: nodes[i] ?? "" })));
  fc.assert(
    fc.property(claimants, (all) => {
      const winners = all.filter((one) =>
        all.every((other) => one === other || survives(one, other)),
      );
      expect(winners).toHaveLength(1);
    }),
  );
});

test("session record: what was written is read, at fixed bytes and whole; what is unknown is kept", () => {
  const record = fc.record({
    available: fc.boolean(),
    attached: fc.boolean(),
    priority: fc.integer({ min: -128, max: 127 }),
    stamp,
    sid,
    gen: fc.maxSafeNat(),
    tail: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => binaryFromBytes(bytes)),
  });
  fc.assert(
    fc.property(record, (value) => {
      const bytes = encodeSession(value);
      expect(decodeSession(bytes)).toEqual(value);
      expect(isAvailable(bytes)).toBe(value.available);
      expect(priorityIn(bytes)).toBe(value.priority);
      expect(stampIn(bytes)).toBe(value.stamp);
    }),
  );
});

test("session record: any bytes have an answer", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (array) => {
      const bytes = binaryFromBytes(array);
      const record = decodeSession(bytes);
      if (record !== undefined) expect(decodeSession(encodeSession(record))).toEqual(record);
      expect(bareKey(bytes).length).toBeLessThanOrEqual(bytes.length);
    }),
  );
});

test("frame: a stanza and what it brings along arrive as they were sent", () => {
  const transits = fc.record({
    id: fc.record({
      origin: fc.stringMatching(/^[0-9a-f]{16} [a-z0-9@:.]{1,40}$/),
      counter: fc.maxSafeNat(),
    }),
    maybe: fc.boolean(),
    hops: fc.nat(9),
    target: fc.stringMatching(/^[a-zé]{1,9}@localhost\/[A-Za-zé🦦 ]{1,20}$/u),
  });
  const body = fc.stringMatching(/^[ a-zé🦦]{0,2000}$/u);
  fc.assert(
    fc.property(transits, body, (transit, text) => {
      const sent = stanza(`<message to='romeo@localhost' id='1'><body>${text}</body></message>`);
      const from = "juliet@localhost/balcony";
      const read = decodeFrame(Piece.of(bytesFromBinary(encodeFrame(transit, sent, { from }))));
      expect(read.transit).toEqual(transit);
      expect(read.stanza).toMatchObject({ name: "message", from });
      const opened = read.stanza.open();
      expect(opened).toMatchObject({ name: "message", from, to: "romeo@localhost" });
      expect(opened.payload("jabber:client", "body")?.getText()).toBe(text);
    }),
    { numRuns: 200 },
  );
});

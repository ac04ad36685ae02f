/** Laws of routing, whatever is sent to whomever. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Session, type SessionState } from "../../src/router/session.ts";
import { jid, Scene, wordsOf } from "../../test/router/scene.ts";

const priority = fc.option(fc.integer({ min: -128, max: 127 }), { nil: undefined });
const resources = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), priority, { maxKeys: 4 });
const addressee = fc.constantFrom(
  ...["romeo@localhost", "romeo@localhost/a", "romeo@localhost/z", "nobody@localhost"],
  ...["nobody@localhost/a", "localhost", "localhost/x", "romeo@elsewhere.test", "@", "a@b@c/d"],
  ...["juliet@localhost", "juliet@localhost/balcony", "ROMEO@LOCALHOST/a", ""],
);
const tag = fc.constantFrom(
  ...["message", "message type='normal'", "message type='chat'", "message type='strange'"],
  ...["message type='groupchat'", "message type='headline'", "message type='error'"],
  ...["presence", "presence type='unavailable'", "presence type='subscribe'"],
  ...["presence type='probe'", "presence type='error'", "presence type='strange'"],
  ...["iq id='1' type='get'", "iq id='1' type='set'", "iq id='1' type='result'"],
  ...["iq id='1' type='error'", "iq type='get'", "iq id='1'"],
);

function sent(scene: Scene, opened: string, to: string, bound: Readonly<Record<string, unknown>>) {
  const juliet = scene.bind("juliet@localhost/balcony", 0);
  for (const [resource, value] of Object.entries(bound)) {
    scene.bind(`romeo@localhost/${resource}`, typeof value === "number" ? value : undefined);
  }
  const name = opened.split(" ")[0] ?? "";
  const xml = `<${opened} to='${to}'><known xmlns='urn:test:known'/></${name}>`;
  return { juliet, effects: scene.send(juliet, xml) };
}

test("router: a message of type normal or chat is delivered or answered, never dropped", () => {
  const said = fc.constantFrom("message", "message type='normal'", "message type='chat'");
  fc.assert(
    fc.property(said, addressee, resources, (opened, to, bound) => {
      const { effects } = sent(new Scene(), opened, to, bound);
      expect(effects.length).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
});

test("router: an iq request has exactly one end: delivered, handled or answered", () => {
  const asked = fc.constantFrom("iq id='1' type='get'", "iq id='1' type='set'");
  fc.assert(
    fc.property(asked, addressee, resources, (opened, to, bound) => {
      expect(sent(new Scene(), opened, to, bound).effects).toHaveLength(1);
    }),
    { numRuns: 500 },
  );
});

test("router: an error or a result never brings the sender an error", () => {
  const answers = fc.constantFrom(
    ...["message type='error'", "presence type='error'", "iq id='1' type='error'"],
    "iq id='1' type='result'",
  );
  fc.assert(
    fc.property(answers, addressee, resources, (opened, to, bound) => {
      const { juliet, effects } = sent(new Scene(), opened, to, bound);
      expect(wordsOf(effects, juliet)).not.toMatch(/error|closed/);
    }),
    { numRuns: 500 },
  );
});

test("router: what is delivered to others bears the sender's full JID, and only bound sessions get it", () => {
  fc.assert(
    fc.property(tag, addressee, resources, (opened, to, bound) => {
      const scene = new Scene();
      const { juliet, effects } = sent(scene, opened, to, bound);
      const reached = effects.flatMap((effect) => (effect.type === "deliver" ? [effect] : []));
      for (const { session, from } of reached) {
        expect(scene.sessions.get(session.jid.full)).toBe(session);
        if (session !== juliet) expect(from).toBe(juliet.jid.full);
      }
      expect(new Set(reached.map(({ session }) => session)).size).toBe(reached.length);
    }),
    { numRuns: 1_000 },
  );
});

test("router: the order in which resources were bound decides nothing but the order of delivery", () => {
  fc.assert(
    fc.property(tag, addressee, resources, (opened, to, bound) => {
      const reversed = Object.fromEntries(Object.entries(bound).toReversed());
      const one = sent(new Scene(), opened, to, bound);
      const other = sent(new Scene(), opened, to, reversed);
      const sorted = ({ effects, juliet }: typeof one) =>
        wordsOf(effects, juliet).split(" ").toSorted();
      expect(sorted(one)).toEqual(sorted(other));
    }),
    { numRuns: 500 },
  );
});

test("session: a snapshot survives encoding, and the session made of it is the same", () => {
  const state: fc.Arbitrary<SessionState> = fc.record({
    jid: fc
      .tuple(fc.stringMatching(/^[a-z0-9é]{1,20}$/), fc.stringMatching(/^[A-Za-z0-9 🦦]{1,20}$/u))
      .map(([local, resource]) => jid(`${local}@localhost/x${resource}y`).full),
    sid: fc.stringMatching(/^[0-9a-f]{32}$/),
    stamp: fc.nat(),
    lang: fc.constantFrom("en", "de-CH", "tlh"),
    gen: fc.nat(),
    available: fc.boolean(),
    priority: fc.integer({ min: -128, max: 127 }),
  });
  fc.assert(
    fc.property(state, (value) => {
      const sent_ = JSON.parse(JSON.stringify(value)) as SessionState;
      expect(Session.restore(1, sent_).snapshot()).toEqual(value);
    }),
  );
});

/** Laws of addresses: preparing is idempotent, parts and whole agree, the cache changes nothing. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { JidCache, jidOf, parseJid } from "../../src/xmpp/jid.ts";

const part = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom(
    "a",
    "\u00DF",
    "\u03C2",
    "\uFF21",
    "\u05D0",
    "\u0660",
    "e\u0301",
    "\u00B7",
    "\u0628\u200C\u0628",
    "@",
    "/",
  ),
);
const domain = fc.oneof(
  fc.domain(),
  fc.constantFrom("localhost", "b\u00FCcher.example"),
  fc.ipV6().map((address) => `[${address}]`),
  part,
);

test("jid: preparing what is prepared changes nothing", () => {
  let prepared = 0;
  fc.assert(
    fc.property(part, domain, part, (local, host, resource) => {
      const jid = jidOf(local, host, resource);
      if (jid === undefined) return;
      prepared += 1;
      const again = parseJid(jid.full);
      expect([again?.local, again?.domain, again?.resource]).toEqual([
        jid.local,
        jid.domain,
        jid.resource,
      ]);
    }),
    { numRuns: 3_000 },
  );
  expect(prepared).toBeGreaterThan(300);
});

test("jid: the cache gives what parsing gives", () => {
  const cache = new JidCache(4);
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          part,
          fc.tuple(part, domain).map((p) => p.join("@")),
        ),
      ),
      (texts) => {
        for (const text of texts) expect(cache.get(text)?.full).toBe(parseJid(text)?.full);
      },
    ),
    { numRuns: 300 },
  );
});

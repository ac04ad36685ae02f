/** Timestamps as XEP-0082 has them, against the platform's own calendar. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { utcText } from "../../src/base/time.ts";

test("time: utcText is what the platform writes, for all of 1970 to 9999", () => {
  const leap = ["2000-02-29T23:59:59.999Z", "2100-03-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"];
  for (const text of leap) expect(utcText(Date.parse(text))).toBe(text);
  const last = Date.parse("9999-12-31T23:59:59.999Z");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: last }), (at) => {
      expect(utcText(at)).toBe(new Date(at).toISOString());
    }),
    { numRuns: 2_000 },
  );
});

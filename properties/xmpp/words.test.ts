/** Words laws: what is said of eight bytes at once is what would be said of each. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { sameWords, skipPlainWords, wordsOf } from "../../src/xmpp/words.ts";

/** Mostly letters, so that runs are long; any byte may be among them, those near a bound above all. */
const byte = fc.oneof(
  { weight: 40, arbitrary: fc.constant(0x61) },
  { weight: 1, arbitrary: fc.nat({ max: 255 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...Buffer.from("\0\t\x1f \x7f%&'<=>;?"), 0x80, 0x9f, 0xa0, 0xff),
  },
);
const bytes = fc.array(byte, { minLength: 1, maxLength: 60 }).map((all) => Uint8Array.from(all));

const isPlain = (each: number): boolean =>
  each >= 0x20 && each < 0x80 && !"<>&".includes(String.fromCharCode(each));

test("plain text is skipped by eight bytes, until one of eight is not plain", () => {
  fc.assert(
    fc.property(bytes, fc.nat(), fc.nat(), (all, from, to) => {
      const at = from % all.length;
      const end = at + (to % (all.length - at + 1));
      const plain = [...all.subarray(at, end)].findIndex((each) => !isPlain(each));
      const length = plain < 0 ? end - at : plain;
      expect(skipPlainWords(wordsOf(all), at, end)).toBe(at + length - (length % 8));
    }),
    { numRuns: 20_000 },
  );
});

test("bytes are compared by eight, until one of eight differs", () => {
  fc.assert(
    fc.property(
      bytes,
      fc.nat(),
      fc.nat({ max: 255 }),
      fc.nat({ max: 9 }),
      (all, which, other, shift) => {
        const moved = Uint8Array.from([...new Uint8Array(shift), ...all]);
        const differs = which % all.length;
        const same = moved[shift + differs] === other ? all.length : differs;
        moved[shift + differs] = other;
        const from = which % (same + 1);
        const words = new DataView(moved.buffer);
        const found = sameWords(wordsOf(all), words, shift, from, all.length);
        expect(found).toBe(same - ((same - from) % 8));
      },
    ),
    { numRuns: 20_000 },
  );
});

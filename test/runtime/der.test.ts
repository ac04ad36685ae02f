import fc from "fast-check";
import { expect, test } from "vitest";
import { derValues, objectIdentifier } from "../../src/runtime/der.ts";

test("der: values follow each other, short and long", () => {
  const long = new Uint8Array(300).fill(7);
  const bytes = Uint8Array.of(0x02, 1, 5, 0x04, 0x82, 1, 44, ...long);
  expect(derValues(bytes)).toEqual([
    { tag: 0x02, content: Uint8Array.of(5) },
    { tag: 0x04, content: long },
  ]);
});

test("der: identifiers of objects are read in all their sizes", () => {
  const read = (hex: string) => objectIdentifier(Buffer.from(hex, "hex"));
  expect(read("2a8648ce3d040302")).toBe("1.2.840.10045.4.3.2");
  expect(read("2a864886f70d01010a")).toBe("1.2.840.113549.1.1.10");
  expect(read("2b06010505070805")).toBe("1.3.6.1.5.5.7.8.5");
  expect(read("551d11")).toBe("2.5.29.17");
});

test("der: whatever a client sends is read or refused, never more than it is", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        const size = derValues(bytes).reduce((sum, { content }) => sum + content.length + 2, 0);
        expect(size).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});

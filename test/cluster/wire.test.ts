import fc from "fast-check";
import { expect, test } from "vitest";
import { binaryFromBytes, bytesFromBinary } from "../../src/base/bytes.ts";
import { WireError } from "../../src/cluster/codec.ts";
import { classes } from "../../src/cluster/messages.ts";
import {
  controlFrame,
  FrameReader,
  frameWithOptions,
  numberedFrame,
} from "../../src/cluster/wire.ts";

interface Frame {
  readonly kind: number;
  readonly frameClass: number;
  readonly number: number;
  readonly more: boolean;
  readonly body: string;
}

const body = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((b) => String.fromCharCode(b)) }),
  fc.constantFrom("", "x".repeat(70_000)),
);
const frame: fc.Arbitrary<Frame> = fc
  .record({
    kind: fc.nat(255),
    frameClass: fc.constantFrom(...Object.values(classes)),
    number: fc.oneof(
      fc.integer({ min: 1, max: 300 }),
      fc.maxSafeInteger().filter((n) => n > 0),
    ),
    more: fc.boolean(),
    body,
  })
  .map((each) =>
    each.frameClass === classes.control ? { ...each, number: 0, more: false } : each,
  );

const written = ({ kind, frameClass, number, more, body: text }: Frame): string =>
  frameClass === classes.control
    ? controlFrame(kind, text)
    : numberedFrame(kind, frameClass, number, text, more);

function read(chunks: readonly string[], reader = new FrameReader(100_000)): Frame[] {
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    reader.push(bytesFromBinary(chunk));
    while (reader.next()) {
      const { kind, frameClass, number, more } = reader;
      frames.push({ kind, frameClass, number, more, body: binaryFromBytes(reader.body.bytes) });
    }
  }
  return frames;
}

const numberOf = (value: string): Frame[] => read([value]);

test("wire: frames are read as they were written, however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: 5 }),
      fc.boolean(),
      (frames, sizes, tiny) => {
        const bytes = frames.map(written).join("");
        const chunks: string[] = [];
        for (let at = 0, count = 0; at < bytes.length; count += 1) {
          const size = (sizes[count % Math.max(1, sizes.length)] ?? 1) % (tiny ? 5 : 90_000);
          chunks.push(bytes.slice(at, at + size + 1));
          at += size + 1;
        }
        expect(read(chunks)).toEqual(frames);
      },
    ),
  );
});

test("wire: a body of an earlier frame stays as it is when later bytes come", () => {
  const reader = new FrameReader(1_000);
  const bytes = numberedFrame(32, classes.tables, 1, "first") + controlFrame(6, "second");
  reader.push(bytesFromBinary(bytes.slice(0, 7)));
  expect(reader.next()).toBe(false);
  reader.push(bytesFromBinary(bytes.slice(7, 15)));
  expect(reader.next()).toBe(true);
  const first = reader.body.bytes;
  expect(reader.next()).toBe(false);
  reader.push(bytesFromBinary(bytes.slice(15)));
  expect(reader.next()).toBe(true);
  expect([binaryFromBytes(first), binaryFromBytes(reader.body.bytes)]).toEqual(["first", "second"]);
});

test("wire: options, room for the ends of a relayed frame, are skipped", () => {
  const options = new Map([
    [1, "from somewhere"],
    [200, ""],
  ]);
  const frames = numberOf(frameWithOptions(32, classes.tables, 7, options, "body"));
  expect(frames).toEqual([{ kind: 32, frameClass: 1, number: 7, more: false, body: "body" }]);
  const control = numberOf(frameWithOptions(5, classes.control, 0, options, "body"));
  expect(control).toEqual([{ kind: 5, frameClass: 0, number: 0, more: false, body: "body" }]);
});

test("wire: a frame beyond the limit is refused by its length field alone, without memory for it", () => {
  const reader = new FrameReader(4_096);
  reader.push(bytesFromBinary("\x00\x00\x10\x01"));
  expect(() => reader.next()).toThrow("4097 bytes is too long: at most 4096");
});

test("wire: headers that mean nothing are refused", () => {
  const bad = {
    "too short": "\x00\x00\x00\x01\x05",
    "unknown flags": "\x00\x00\x00\x02\x05\x40",
    "number 0": "\x00\x00\x00\x03\x20\x01\x00",
    "no number": "\x00\x00\x00\x02\x20\x01",
    "endless number": `\x00\x00\x00\x0b\x20\x01${"\xff".repeat(9)}`,
    "options past the end": "\x00\x00\x00\x05\x05\x08\x01\x01\x09",
    "options without value": "\x00\x00\x00\x03\x05\x08\x01",
  };
  for (const [name, bytes] of Object.entries(bad)) {
    expect(() => read([bytes]), name).toThrow(WireError);
  }
});

test("wire: random bytes are frames or a WireError, nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        read(["\x00\x00\x00", binaryFromBytes(bytes)]);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 2_000 },
  );
});

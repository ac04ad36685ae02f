/**
 * Bytes: the few pure byte operations that the core needs from the platform.
 *
 * `Buffer` and `TextDecoder` are not visible inside the fence; this file declares their pure part and
 * is the only one to use them. Two kinds of string must not be mixed up: a *text* (UTF-16, what people
 * read) and a *binary string* (one char per byte, 0–255, what goes to a socket: cheapest in Node).
 */

/** One char per byte (0–255). Written to sockets as latin1; holds UTF-8 that nobody needs to decode. */
export type BinaryString = string;

interface PureBuffer extends Uint8Array {
  latin1Slice(start?: number, end?: number): string;
  latin1Write(text: string, offset: number): number;
  ucs2Write(text: string, offset: number): number;
  utf8Slice(start?: number, end?: number): string;
  toString(encoding?: "base64" | "hex" | "latin1" | "utf8"): string;
}
declare const Buffer: {
  from(text: string, encoding: "utf8" | "latin1" | "base64" | "hex"): PureBuffer;
  from(memory: ArrayBufferLike, offset: number, length: number): PureBuffer;
  readonly byteLength: (text: string, encoding: "utf8") => number;
  allocUnsafeSlow(size: number): PureBuffer;
};
/** The global is a getter, which is not free where this is asked of each record. */
const { byteLength } = Buffer;

declare const TextDecoder: new (
  encoding: "utf-8",
  options: { fatal: boolean; ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

function view(bytes: Uint8Array | PureBuffer): PureBuffer {
  // To load a property is faster than to ask whether it is there.
  if ((bytes as PureBuffer).latin1Slice !== undefined) return bytes as PureBuffer;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Every other char is longer in UTF-8 than here; to ask for the length is the fastest way to know. */
function isAscii(text: string): boolean {
  return byteLength(text, "utf8") === text.length;
}

/** The bytes as a binary string. */
export function binaryFromBytes(bytes: Uint8Array, start = 0, end = bytes.length): BinaryString {
  return view(bytes).latin1Slice(start, end);
}

/** The text in UTF-8, as a binary string. */
export function binaryFromText(text: string): BinaryString {
  return isAscii(text) ? text : Buffer.from(text, "utf8").latin1Slice();
}

/** Puts a binary string into these bytes. */
export function writeBinary(bytes: Uint8Array, at: number, text: BinaryString): void {
  view(bytes).latin1Write(text, at);
}

/** Puts a text's UTF-16 code units into these bytes, the lower byte first; returns how many bytes they take. */
export function writeUtf16(bytes: Uint8Array, at: number, text: string): number {
  return view(bytes).ucs2Write(text, at);
}

export function copyInto(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  target.set(source.subarray(start, end), at);
}

/** The same for a few hundred bytes, for which a view of their own would cost more than copying does. */
export function copyFew(
  target: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
): void {
  let to = at;
  let from = start;
  for (; from + 3 < end; from += 4, to += 4) {
    target.setInt32(to, source.getInt32(from, true), true);
  }
  for (; from < end; from++, to++) target.setUint8(to, source.getUint8(from));
}

const scratch = Buffer.allocUnsafeSlow(65_536);

/**
 * The same string in one piece with memory of its own. Strings that are slices or sums of others are found
 * in a map several times more slowly, and they keep those others alive.
 */
export function flat(text: BinaryString): BinaryString {
  if (text.length > scratch.length) return binaryFromBytes(bytesFromBinary(text));
  return scratch.latin1Slice(0, scratch.latin1Write(text, 0));
}

let lastSeen = 0;

/**
 * The same string, a sum of others, which it does not keep alive from here on: whoever asks for a char of it
 * makes the engine put it into one piece. Cheaper than `flat`, but a slice stays one.
 */
export function inOnePiece(text: BinaryString): BinaryString {
  // An answer that nobody wants would not be asked for.
  lastSeen ^= text.charCodeAt(text.length - 1);
  return text;
}

/** UTF-8 bytes as text; invalid sequences become U+FFFD (check with `isUtf8` first where it matters). */
export function textFromBytes(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return view(bytes).utf8Slice(start, end);
}

/** The reverse of `binaryFromText`; invalid sequences become U+FFFD. */
export function textFromBinary(binary: BinaryString): string {
  return isAscii(binary) ? binary : Buffer.from(binary, "latin1").utf8Slice();
}

export function bytesFromText(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}

export function bytesFromBinary(binary: BinaryString): Uint8Array {
  return Buffer.from(binary, "latin1");
}

/** Is this valid UTF-8 (RFC 3629: no overlong forms, no surrogates)? */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

export function utf8Length(text: string): number {
  return byteLength(text, "utf8");
}

export function toBase64(bytes: Uint8Array): string {
  return view(bytes).toString("base64");
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Strict base64 (RFC 4648 §4): undefined for foreign characters, wrong padding or wrong length. */
export function fromBase64(text: string): Uint8Array | undefined {
  return BASE64.test(text) ? Buffer.from(text, "base64") : undefined;
}

export function toHex(bytes: Uint8Array): string {
  return view(bytes).toString("hex");
}

export function fromHex(text: string): Uint8Array {
  return Buffer.from(text, "hex");
}

/** A copy that shares no memory with its source (a slice of a chunk keeps the whole chunk alive). */
export function copyBytes(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

export function allocBytes(size: number): Uint8Array {
  return Buffer.allocUnsafeSlow(size);
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const all = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

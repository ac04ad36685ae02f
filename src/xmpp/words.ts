/**
 * Words: bytes are looked at four at a time, wherever they begin.
 *
 * A `DataView` reads a word at any index, which costs as much as to read one byte of an array: so what is
 * asked of every byte, is it the same, is it plain text, is asked of eight at once.
 */

const none = new Uint8Array(0);
/** What is being read is asked for again and again. */
const last: { bytes: Uint8Array; words: DataView } = {
  bytes: none,
  words: new DataView(none.buffer),
};

/** The words of these bytes. */
export function wordsOf(bytes: Uint8Array): DataView {
  if (last.bytes === bytes) return last.words;
  last.bytes = bytes;
  return (last.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** From which index on, up to `to`, does `a` differ from `b` `shift` bytes further? Told seven too early at most. */
export function sameWords(
  a: DataView,
  b: DataView,
  shift: number,
  from: number,
  to: number,
): number {
  let i = from;
  for (; i + 7 < to; i += 8) {
    const first = a.getInt32(i, true) ^ b.getInt32(i + shift, true);
    const second = a.getInt32(i + 4, true) ^ b.getInt32(i + shift + 4, true);
    if ((first | second) !== 0) break;
  }
  return i;
}

/** Skips characters from U+0020 to U+007F but `<`, `>` and `&`, eight at once, while all eight are such. */
export function skipPlainWords(words: DataView, at: number, end: number): number {
  let i = at;
  for (; i + 7 < end; i += 8) {
    if ((oddities(words.getInt32(i, true)) | oddities(words.getInt32(i + 4, true))) & 0x80808080)
      break;
  }
  return i;
}

/** Has the highest bit of some byte set if one of the four is not plain (or, rarely, comes after one). */
function oddities(word: number): number {
  const angle = (word ^ 0x3c3c3c3c) & 0xfdfdfdfd; // 0 for < and >
  const ampersand = word ^ 0x26262626;
  return (
    word |
    (word - 0x20202020) |
    ((angle - 0x01010101) & ~angle) |
    ((ampersand - 0x01010101) & ~ampersand)
  );
}

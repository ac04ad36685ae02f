/**
 * Scanner: is this start tag, reference or name well-formed XML 1.0, byte by byte?
 *
 * Functions over `bytes` from an index up to `end` (what follows `end` may be stale). Each returns the
 * index after what it scanned, or `MORE` when `end` came first, and throws `XmlError` at the first
 * byte that is wrong: given a longer input it would fail in the same way. No strings are made but for
 * names outside ASCII. Whether the bytes are UTF-8 is asked once, later, and only if `kinds` has
 * `WIDE`: a bad sequence can hide in a name, value or text but not make markup of it.
 */
import { isUtf8, textFromBytes } from "../base/bytes.ts";
import { namespaces } from "./interner.ts";
import { NS } from "./namespaces.ts";
import { XmlError } from "./stream-error.ts";

export interface ReaderLimits {
  /** Bytes of one top-level element, and of the stream header. */
  readonly maxStanzaSize: number;
  /** Elements within each other, the stanza included. */
  readonly maxDepth: number;
  /** Attributes of one element, namespace declarations included. */
  readonly maxAttributes: number;
  /** Bytes of one element or attribute name, prefix included. */
  readonly maxNameLength: number;
}

/** For bytes that have been scanned before. */
export const NO_LIMITS: ReaderLimits = {
  maxStanzaSize: Infinity,
  maxDepth: Infinity,
  maxAttributes: Infinity,
  maxNameLength: Infinity,
};

/** The bytes ended first. */
export const MORE = -1;

const NAME_START = 1;
const NAME = 2;
export const SPACE = 4;
/** Ends a run of plain text: `<`, `&`, `>` (it may end `]]>`) or a character that XML forbids. */
export const TEXT_STOP = 8;
/** The same within an attribute's value; either quote may end it. */
const VALUE_STOP = 16;
/** A control character, which XML forbids even as a reference. */
export const FORBIDDEN = 32;
/** Part of a character outside ASCII: whether it may stand where it does is asked later. */
export const WIDE = 128;

export const classes = new Uint8Array(256).fill(NAME | WIDE, 128);
for (let byte = 0; byte < 128; byte++) {
  const character = String.fromCharCode(byte);
  let kind = 0;
  if (/[A-Za-z_]/.test(character)) kind |= NAME_START | NAME;
  if (/[-.0-9]/.test(character)) kind |= NAME;
  if (/[ \t\r\n]/.test(character)) kind |= SPACE;
  else if (byte < 32) kind |= TEXT_STOP | VALUE_STOP | FORBIDDEN;
  if (/[<&]/.test(character)) kind |= TEXT_STOP | VALUE_STOP;
  if (character === ">") kind |= TEXT_STOP;
  if (/["']/.test(character)) kind |= VALUE_STOP;
  classes[byte] = kind;
}

export const LESS = 0x3c;
export const GREATER = 0x3e;
export const SLASH = 0x2f;
export const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const COLON = 0x3a;
const HASH = 0x23;
const SEMICOLON = 0x3b;
export const QUOTE = 0x22;
export const APOSTROPHE = 0x27;

export const notWellFormed = (why: string): XmlError => new XmlError("not-well-formed", why);

/**
 * The start tag scanned last: one for all readers, since nothing runs between scanning and use.
 * Attribute `k` has its numbers in `spans` from `k * SPAN` on: start of the name, its colon (or -1),
 * end of the name, start and end of the value.
 */
export const tag = {
  nameStart: 0,
  nameEnd: 0,
  /** Index of the colon in the name, or -1. */
  colon: -1,
  /** The same of the name, the tag's or an attribute's, that was scanned last. */
  scannedColon: -1,
  selfClosing: false,
  attributes: 0,
  spans: new Int32Array(128),
  /** Is there a colon in any name? */
  prefixed: false,
  /** Classes of all bytes of names and values, or-ed. */
  kinds: 0,
  /** Which attribute is `xmlns`, or -1. */
  xmlns: -1,
};
export const SPAN = 5;

/** `at` is the first byte of the name. */
export function scanStartTag(
  bytes: Uint8Array,
  at: number,
  end: number,
  limits: ReaderLimits,
): number {
  tag.attributes = 0;
  tag.prefixed = false;
  tag.kinds = 0;
  tag.xmlns = -1;
  const nameEnd = scanName(bytes, at, end, limits);
  if (nameEnd === MORE) return MORE;
  tag.nameStart = at;
  tag.nameEnd = nameEnd;
  tag.colon = tag.scannedColon;
  return scanAttributes(bytes, nameEnd, end, limits);
}

/** The rest of a start tag, from the end of its name or of an attribute on. */
export function scanAttributes(
  bytes: Uint8Array,
  at: number,
  end: number,
  limits: ReaderLimits,
): number {
  let i = at;
  for (;;) {
    const nameOrValueEnd = i;
    i = skipSpace(bytes, i, end);
    if (i === end) return MORE;
    const byte = bytes[i];
    if (byte === GREATER) {
      tag.selfClosing = false;
      return i + 1;
    }
    if (byte === SLASH) return scanSelfClosing(bytes, i, end);
    if (i === nameOrValueEnd) throw notWellFormed("White space is missing within a start tag");
    i = scanAttribute(bytes, i, end, limits);
    if (i === MORE) return MORE;
  }
}

function scanSelfClosing(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return MORE;
  if (bytes[at + 1] !== GREATER) throw notWellFormed("A slash within a start tag");
  tag.selfClosing = true;
  return at + 2;
}

export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && (classes[bytes[i] as number] as number) & SPACE) i++;
  return i;
}

function scanName(bytes: Uint8Array, at: number, end: number, limits: ReaderLimits): number {
  const kindOf = classes;
  let i = at;
  let kinds = 0;
  let kind = 0;
  let colon = -1;
  for (;;) {
    while (i < end && (kind = kindOf[bytes[i] as number] as number) & NAME) {
      kinds |= kind;
      i++;
    }
    if (i === end) return MORE;
    if (bytes[i] !== COLON) break;
    // Namespaces in XML 1.0 §4: a qualified name has one colon at most.
    if (colon >= 0) throw notWellFormed("A name with two colons");
    colon = i++;
  }
  if (i - at > limits.maxNameLength) {
    const max = limits.maxNameLength;
    throw new XmlError("policy-violation", `Name of ${i - at} bytes: the maximum is ${max}`);
  }
  if (kinds & WIDE) checkWideName(bytes, at, i, colon);
  else if (!isNameStart(bytes, at) || (colon >= 0 && !isNameStart(bytes, colon + 1))) {
    throw notWellFormed("A name is missing or begins with a wrong character");
  }
  if (colon >= 0) tag.prefixed = true;
  tag.kinds |= kinds;
  tag.scannedColon = colon;
  return i;
}

const isNameStart = (bytes: Uint8Array, at: number): boolean =>
  ((classes[bytes[at] as number] as number) & NAME_START) !== 0;

/** NameStartChar and NameChar of XML 1.0 §2.3 (fifth edition), without the colon. */
const LETTERS =
  "A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D" +
  "\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}";
const WIDE_NAME = new RegExp(
  `^[${LETTERS}][-.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040${LETTERS}]*$`,
  "u",
);

function checkWideName(bytes: Uint8Array, start: number, end: number, colon: number): void {
  const good =
    colon < 0
      ? WIDE_NAME.test(textFromBytes(bytes, start, end))
      : WIDE_NAME.test(textFromBytes(bytes, start, colon)) &&
        WIDE_NAME.test(textFromBytes(bytes, colon + 1, end));
  if (!good) throw notWellFormed("A name with a wrong character");
}

function scanAttribute(bytes: Uint8Array, at: number, end: number, limits: ReaderLimits): number {
  const nameEnd = scanName(bytes, at, end, limits);
  if (nameEnd === MORE) return MORE;
  const colon = tag.scannedColon;
  let i = nameEnd;
  if (bytes[i] !== EQUALS) {
    i = skipSpace(bytes, i, end);
    if (i === end) return MORE;
    if (bytes[i] !== EQUALS) throw notWellFormed("An attribute without a value");
  }
  i = skipSpace(bytes, i + 1, end);
  if (i === end) return MORE;
  const quote = bytes[i] as number;
  if (quote !== QUOTE && quote !== APOSTROPHE) throw notWellFormed("A value without quotes");
  const valueStart = i + 1;
  const valueEnd = scanValue(bytes, valueStart, end, quote);
  if (valueEnd === MORE) return MORE;
  addAttribute(bytes, at, nameEnd, limits);
  const span = SPAN * tag.attributes++;
  if (span + SPAN > tag.spans.length) tag.spans = doubled(tag.spans);
  const { spans } = tag;
  spans[span] = at;
  spans[span + 1] = colon;
  spans[span + 2] = nameEnd;
  spans[span + 3] = valueStart;
  spans[span + 4] = valueEnd;
  if (tag.xmlns === tag.attributes - 1) checkDefaultNamespace(bytes, valueStart, valueEnd);
  return valueEnd + 1;
}

function doubled(spans: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * spans.length);
  larger.set(spans);
  return larger;
}

/** Returns the index of the closing quote. */
export function scanValue(bytes: Uint8Array, at: number, end: number, quote: number): number {
  const kindOf = classes;
  let i = at;
  let kinds = 0;
  let kind = 0;
  for (;;) {
    while (i < end && !((kind = kindOf[bytes[i] as number] as number) & VALUE_STOP)) {
      kinds |= kind;
      i++;
    }
    if (i === end) return MORE;
    const byte = bytes[i] as number;
    if (byte === quote) break;
    if (byte === AMPERSAND) {
      i = scanReference(bytes, i, end);
      if (i === MORE) return MORE;
    } else if (byte === QUOTE || byte === APOSTROPHE) i++;
    else throw notWellFormed("A character that no value may contain");
  }
  tag.kinds |= kinds;
  return i;
}

/** Is there room for it, and is it the first of its name (XML 1.0 §3.1)? */
function addAttribute(bytes: Uint8Array, start: number, end: number, limits: ReaderLimits): void {
  if (tag.attributes >= limits.maxAttributes) {
    const max = limits.maxAttributes;
    throw new XmlError("policy-violation", `More than ${max} attributes: the maximum is ${max}`);
  }
  const { spans } = tag;
  for (let span = 0; span < SPAN * tag.attributes; span += SPAN) {
    const other = spans[span] as number;
    if ((spans[span + 2] as number) - other === end - start && same(bytes, start, end, other)) {
      throw notWellFormed("The same attribute twice");
    }
  }
  if (end - start === 5 && isWord(bytes, start, end, "xmlns")) tag.xmlns = tag.attributes;
  // An ltx element keeps attributes in a plain object, where this one would be lost without a word.
  if (end - start === 9 && isWord(bytes, start, end, "__proto__")) {
    throw new XmlError("policy-violation", "The attribute name __proto__ is not supported");
  }
}

function same(bytes: Uint8Array, start: number, end: number, other: number): boolean {
  for (let i = start, j = other; i < end; i++, j++) if (bytes[i] !== bytes[j]) return false;
  return true;
}

/** Do these bytes spell `word`, which is ASCII? */
export function isWord(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word.charCodeAt(i)) return false;
  return true;
}

/** Namespaces in XML 1.0 §3: the two built-in namespaces may not be the default one. */
function checkDefaultNamespace(bytes: Uint8Array, start: number, end: number): void {
  if (end - start < NS.xmlns.length) return;
  const namespace = namespaces.get(bytes, start, end);
  if (namespace === NS.xmlns || namespace === NS.xml) {
    throw new XmlError("bad-namespace-prefix", `${namespace} cannot be the default namespace`);
  }
}

/** Enough for `&#x10FFFF;` and many zeros. */
const REFERENCE_LENGTH_MAX = 32;
const CHARACTER_REFERENCE = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/;

/** `at` is the ampersand. Only the five entities of XML 1.0 §4.6 exist (RFC 6120 §11.1). */
export function scanReference(bytes: Uint8Array, at: number, end: number): number {
  let i = at + 1;
  for (; ; i++) {
    if (i >= end) return MORE;
    const byte = bytes[i] as number;
    if (byte === SEMICOLON) break;
    const partOfName = (classes[byte] as number) & NAME || byte === COLON;
    if (!partOfName && !(byte === HASH && i === at + 1)) throw notWellFormed("A bare ampersand");
    if (i - at > REFERENCE_LENGTH_MAX) {
      const max = REFERENCE_LENGTH_MAX;
      throw new XmlError("restricted-xml", `Reference of more than ${max} bytes`);
    }
  }
  const name = textFromBytes(bytes, at + 1, i);
  switch (name) {
    case "amp":
    case "lt":
    case "gt":
    case "quot":
    case "apos":
      return i + 1;
  }
  if (bytes[at + 1] === HASH) checkCharacter(name);
  else if (isNameStart(bytes, at + 1) || (bytes[at + 1] as number) >= 0x80) {
    throw new XmlError("restricted-xml", "An entity other than the five predefined ones");
  } else throw notWellFormed("A bare ampersand");
  return i + 1;
}

function checkCharacter(name: string): void {
  const [, hex, decimal] = CHARACTER_REFERENCE.exec(name) ?? [];
  const code = hex !== undefined ? parseInt(hex, 16) : parseInt(decimal ?? "", 10);
  const isCharacter =
    code === 0x9 ||
    code === 0xa ||
    code === 0xd ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff);
  if (!isCharacter) throw notWellFormed("A reference to a character that XML forbids");
}

const SUSPICIOUS = /[\uFFFD-\uFFFF]/;

/** Checks bytes of which some are not ASCII: valid UTF-8, without U+FFFE and U+FFFF (XML 1.0 §2.2). */
export function checkEncoding(bytes: Uint8Array, start: number, end: number): void {
  const text = textFromBytes(bytes, start, end);
  if (!SUSPICIOUS.test(text)) return;
  if (!isUtf8(bytes.subarray(start, end))) {
    throw new XmlError("unsupported-encoding", "Bytes that are not UTF-8");
  }
  if (/[\uFFFE\uFFFF]/.test(text)) throw notWellFormed("A character that XML forbids");
}

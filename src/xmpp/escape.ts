/**
 * Escape: how does text become XML, and XML text again?
 *
 * Writing gives binary strings (UTF-8, one char per byte) and never ill-formed XML: a character that
 * XML 1.0 forbids becomes U+FFFD. Line breaks and tabs that a reader would normalise are written as
 * character references, so that what is read back is what was written.
 */
import { binaryFromText, textFromBytes, type BinaryString } from "../base/bytes.ts";

const NEEDS_CARE_IN_TEXT = /[&<>\r]|[^\t\n\x20-\x7e]/;
const NEEDS_CARE_IN_VALUE = /[&<>"']|[^\x20-\x7e]/;
const ESCAPED_IN_TEXT = /[&<>\r]/g;
const ESCAPED_IN_VALUE = /[&<>"'\t\n\r]/g;
/** Not a Char of XML 1.0 §2.2; with the u flag a lone surrogate is one, a pair is not. */
const FORBIDDEN = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const REFERENCES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};
const reference = (character: string): string => REFERENCES[character] ?? character;

export function escapeText(text: string): BinaryString {
  if (!NEEDS_CARE_IN_TEXT.test(text)) return text;
  return binaryFromText(text.replace(FORBIDDEN, "\uFFFD").replace(ESCAPED_IN_TEXT, reference));
}

/** For a value between either kind of quotes. */
export function escapeValue(text: string): BinaryString {
  if (!NEEDS_CARE_IN_VALUE.test(text)) return text;
  return binaryFromText(text.replace(FORBIDDEN, "\uFFFD").replace(ESCAPED_IN_VALUE, reference));
}

const REFERENCE = /&(?:(amp|lt|gt|quot|apos)|#x([0-9a-fA-F]+)|#([0-9]+));/g;
const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/** Resolves references that a scanner has already found to be good. */
function resolveReferences(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(REFERENCE, (_, name?: string, hex?: string, decimal?: string) =>
    name !== undefined
      ? (NAMED[name] ?? "")
      : String.fromCodePoint(hex !== undefined ? parseInt(hex, 16) : parseInt(decimal ?? "", 10)),
  );
}

/** Content of an element, already proved good: line ends become LF (XML 1.0 §2.11). */
export function unescapeText(text: string): string {
  return resolveReferences(normaliseLineEnds(text));
}

/** Also what a CDATA section needs, which has no references. */
export function normaliseLineEnds(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

const NORMALISED_IN_VALUE = /[&\t\r\n]/;

/** An attribute's value, already proved good: white space becomes spaces (XML 1.0 §3.3.3). */
export function unescapeValue(text: string): string {
  if (!NORMALISED_IN_VALUE.test(text)) return text;
  return resolveReferences(text.replace(/\r\n|[\t\r\n]/g, " "));
}

/** The value of an attribute at these bytes. */
export function valueFromBytes(bytes: Uint8Array, start: number, end: number): string {
  return unescapeValue(textFromBytes(bytes, start, end));
}

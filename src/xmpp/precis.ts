/**
 * PRECIS: which names and passwords are allowed, and in which one form (RFC 8264, RFC 8265)?
 *
 * Two profiles: UsernameCaseMapped for localparts, OpaqueString for resources and passwords. ASCII takes
 * a short cut. The tables are of one Unicode version, so that nodes on different Node releases agree:
 * `normalize` and `toLowerCase` of the platform are only asked about code points assigned in that
 * version, for which Unicode guarantees that they do not change.
 */
import { bidiRuns, derivedRuns, joiningRuns, viramas } from "./precis-tables.ts";

interface Runs {
  readonly starts: Int32Array;
  readonly values: string;
}

function parseRuns(text: string): Runs {
  const starts: number[] = [];
  let values = "";
  let at = 0;
  for (const [, value = "", length = ""] of text.matchAll(/([A-Z])([0-9a-z]+)/g)) {
    starts.push(at);
    values += value;
    at += parseInt(length, 36);
  }
  return { starts: Int32Array.from(starts), values };
}

function valueIn(runs: Runs, codePoint: number): string {
  let low = 0;
  let high = runs.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((runs.starts[middle] ?? 0) <= codePoint) low = middle;
    else high = middle - 1;
  }
  return runs.values[low] ?? "U";
}

const derived = parseRuns(derivedRuns);
const bidi = parseRuns(bidiRuns);
const joining = parseRuns(joiningRuns);
const viramaSet: ReadonlySet<number> = new Set(viramas);

const SIMPLE_USERNAME = /^[!-~]+$/;
const SIMPLE_OPAQUE = /^[ -~]+$/;
const WIDE = /[\uFF00-\uFFEF\u3000]/g;
const OTHER_SPACES = /[\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]/g;

/** RFC 8265 §3.3; undefined: not allowed. */
export function usernameCaseMapped(text: string): string | undefined {
  if (SIMPLE_USERNAME.test(text)) return text.toLowerCase();
  const wide = text.replace(WIDE, (character) => character.normalize("NFKC"));
  if (!isOfClass(wide, false)) return undefined;
  const mapped = wide.toLowerCase().normalize("NFC");
  return isOfClass(mapped, false) && obeysBidiRule(mapped) ? mapped : undefined;
}

/** RFC 8265 §4.2; undefined: not allowed. */
export function opaqueString(text: string): string | undefined {
  if (SIMPLE_OPAQUE.test(text)) return text;
  if (!isOfClass(text, true)) return undefined;
  const mapped = text.replace(OTHER_SPACES, " ").normalize("NFC");
  return isOfClass(mapped, true) ? mapped : undefined;
}

/** RFC 8264 §4: IdentifierClass, or FreeformClass where `free`. The empty string is in neither. */
function isOfClass(text: string, free: boolean): boolean {
  if (text === "") return false; // a lone surrogate is a disallowed code point
  const codePoints = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  return codePoints.every((codePoint, index) => {
    switch (valueIn(derived, codePoint)) {
      case "P":
        return true;
      case "F":
        return free;
      case "J":
        return viramaSet.has(codePoints[index - 1] ?? 0) || breaksJoin(codePoints, index);
      case "O":
        return fitsContext(codePoints, index);
      default:
        return false;
    }
  });
}

/**
 * RFC 5892 appendix A.1: a zero-width non-joiner may also stand between two letters that would be joined
 * without it, marks that join nothing aside. (A.2: a joiner stands after a virama only.)
 */
function breaksJoin(codePoints: readonly number[], index: number): boolean {
  const typeOf = (at: number): string => valueIn(joining, codePoints[at] ?? 0);
  let before = index - 1;
  while (typeOf(before) === "T") before -= 1;
  let after = index + 1;
  while (typeOf(after) === "T") after += 1;
  return codePoints[index] === 0x200c && /[LD]/.test(typeOf(before)) && /[RD]/.test(typeOf(after));
}

/** RFC 5892 appendix A.3–A.9 */
function fitsContext(codePoints: readonly number[], index: number): boolean {
  const at = (offset: number): string => {
    const codePoint = codePoints[index + offset];
    return codePoint === undefined ? "" : String.fromCodePoint(codePoint);
  };
  const codePoint = codePoints[index] ?? 0;
  const has = (low: number, high: number): boolean =>
    codePoints.some((other) => other >= low && other <= high);
  if (codePoint === 0xb7) return at(-1) === "l" && at(1) === "l";
  if (codePoint === 0x375) return /^\p{Script=Greek}$/u.test(at(1));
  if (codePoint === 0x5f3 || codePoint === 0x5f4) return /^\p{Script=Hebrew}$/u.test(at(-1));
  if (codePoint === 0x30fb) {
    return codePoints.some((other) =>
      /^[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]$/u.test(String.fromCodePoint(other)),
    );
  }
  if (codePoint <= 0x669) return !has(0x6f0, 0x6f9);
  return !has(0x660, 0x669);
}

/** RFC 5893 §2, for names that have a right-to-left character. */
function obeysBidiRule(text: string): boolean {
  const classes = Array.from(text, (character) =>
    valueIn(bidi, character.codePointAt(0) ?? 0),
  ).join("");
  if (!/[RAN]/.test(classes)) return true;
  if (/^[RA]/.test(classes)) {
    if (!/^[RANEMS]+$/.test(classes) || !/[RANE]M*$/.test(classes)) return false;
    return !(classes.includes("E") && classes.includes("N"));
  }
  return /^L[LEMS]*$/.test(classes) && /[LE]M*$/.test(classes);
}

/**
 * Element scan: where does this top-level element end, and what must a router know of it?
 *
 *     before -> [start tag] -> text | child | CDATA ... -> [end tag] -> whole
 *
 * It stops where the bytes stop and goes on from there: text at the byte reached, a tag at its `<`
 * once its `>` has been seen, so that feeding byte by byte stays linear. Positions are indices into
 * the reader's bytes; the reader tells when it has moved them.
 *
 * Names of open elements are kept as positions, for end tags are compared as bytes.
 */
import { binaryFromBytes } from "../base/bytes.ts";
import { addresses, names } from "./interner.ts";
import { FROM, KnownTag, LANG, TO, TYPE } from "./known-tag.ts";
import { Prefixes, type StreamContext } from "./prefixes.ts";
import {
  AMPERSAND,
  classes,
  FORBIDDEN,
  GREATER,
  LESS,
  MORE,
  notWellFormed,
  scanReference,
  scanStartTag,
  skipSpace,
  SLASH,
  tag,
  TEXT_STOP,
  type ReaderLimits,
} from "./scanner.ts";
import type { Payload, StanzaHead } from "./stanza-head.ts";
import { XmlError } from "./stream-error.ts";
import { TagSearch } from "./tag-search.ts";
import { skipPlainWords, wordsOf } from "./words.ts";

const BANG = 0x21;
const DASH = 0x2d;
const QUESTION = 0x3f;
const BRACKET = 0x5d;
const CDATA = "<![CDATA[";
const LETTER_D = 0x44;

/** Only the first are told: enough to choose a handler. */
const PAYLOADS_MAX = 8;
const NO_PAYLOADS: readonly Payload[] = [];

/** From this length on a run of text is searched natively. */
const LONG_TEXT = 160;

/** The tags that a stanza begins with: its own and, by their order, those of its first children. */
const head = new KnownTag();
const children = [new KnownTag(), new KnownTag(), new KnownTag(), new KnownTag()];

const NOT_PLAIN = /[\x00-\x08\x0b\x0c\x0e-\x1f&>\x80-\xff]/;

export class ElementScan implements StanzaHead {
  name = "";
  namespace = "";
  to: string | undefined;
  from: string | undefined;
  type: string | undefined;
  payloads: readonly Payload[] = NO_PAYLOADS;

  /** First byte of the element. */
  start = 0;
  nameEnd = 0;
  /** Has it an `xmlns` or `xml:lang` of its own? */
  declaresDefault = false;
  hasLang = false;
  /** May the element be spliced, or must it be written from its tree? */
  spliceable = true;
  /** Classes of all bytes of names, values and texts, or-ed. */
  kinds = 0;

  #limits: ReaderLimits;
  #context: StreamContext;
  #depth = 0;
  /** Where to go on. */
  #at = 0;
  /** Start and end of the names of open elements. */
  readonly #open: number[] = [];
  readonly #prefixes = new Prefixes();
  readonly #search = new TagSearch();
  /** Within an end tag or CDATA: what is before was looked at. */
  #seen = 0;
  /** Text before this is known not to be plain. */
  #oddUntil = 0;
  #payloadCount = 0;
  /** The payload of the last stanza that began with one: the next mostly begins with the same. */
  #lastSingle: readonly [Payload] = [{ name: "", namespace: "" }];
  /** What an unprefixed child of the element inherits. */
  #defaultNamespace = "";

  constructor(limits: ReaderLimits, context: StreamContext) {
    this.#limits = limits;
    this.#context = context;
  }

  /** Begins with the `<` at `start`. */
  begin(start: number, limits: ReaderLimits, context: StreamContext): void {
    this.#limits = limits;
    this.#context = context;
    this.start = this.#at = start;
    this.#depth = this.kinds = this.#seen = this.#oddUntil = this.#payloadCount = 0;
    this.to = this.from = this.type = undefined;
    this.hasLang = false;
    this.payloads = NO_PAYLOADS;
    this.#search.stop();
    this.#prefixes.reset(context.declarations);
  }

  /** The bytes from `start` on have been moved to the beginning of a buffer. */
  rebase(): void {
    const by = this.start;
    this.start = 0;
    this.#at -= by;
    this.#seen -= by;
    this.#oddUntil -= by;
    this.#search.rebase(by);
    if (this.#depth === 0) return;
    this.nameEnd -= by;
    for (let i = 0; i < 2 * this.#depth; i++) this.#open[i] = (this.#open[i] as number) - by;
  }

  /** Were these bytes all that will ever come, which error would they be? Throws it, if any. */
  finish(bytes: Uint8Array, end: number): void {
    this.#search.stop();
    this.run(bytes, end);
  }

  /** Returns the index after the element, or `MORE`. */
  run(bytes: Uint8Array, end: number): number {
    let i = this.#at;
    for (;;) {
      if (this.#depth > 0) {
        i = this.#text(bytes, i, end);
        if (i === MORE) return MORE;
      }
      const tagAt = i;
      i = this.#markup(bytes, i, end);
      if (i === MORE) {
        this.#at = tagAt;
        return MORE;
      }
      if (this.#depth === 0) return i;
    }
  }

  /** Returns the index of the next `<`. */
  #text(bytes: Uint8Array, from: number, end: number): number {
    const kindOf = classes;
    const words = wordsOf(bytes);
    let i = from;
    let kinds = 0;
    let kind = 0;
    for (;;) {
      const pause = i < this.#oddUntil ? this.#oddUntil : i + LONG_TEXT;
      const near = pause < end ? pause : end;
      // Most text is plain; of what is not, four bytes are asked at once whether it goes on.
      i = skipPlainWords(words, i, near);
      for (; i + 3 < near; i += 4) {
        kind =
          (kindOf[bytes[i] as number] as number) |
          (kindOf[bytes[i + 1] as number] as number) |
          (kindOf[bytes[i + 2] as number] as number) |
          (kindOf[bytes[i + 3] as number] as number);
        if (kind & TEXT_STOP) break;
        kinds |= kind;
      }
      while (i < near && !((kind = kindOf[bytes[i] as number] as number) & TEXT_STOP)) {
        kinds |= kind;
        i++;
      }
      if (i === end) break;
      const byte = bytes[i] as number;
      if (i === near) {
        if (i >= this.#oddUntil) i = this.#skipPlainText(bytes, i, end);
        if (i === end) break;
      } else if (byte === LESS) {
        this.kinds |= kinds;
        return i;
      } else if (byte === GREATER) {
        // XML 1.0 §2.4
        if (bytes[i - 1] === BRACKET && bytes[i - 2] === BRACKET)
          throw notWellFormed("]]> in text");
        i++;
      } else if (byte === AMPERSAND) {
        const after = scanReference(bytes, i, end);
        if (after === MORE) break;
        i = after;
      } else throw notWellFormed("A character that XML forbids");
    }
    this.kinds |= kinds;
    this.#at = i;
    return MORE;
  }

  /** Skips to the next `<` or the end if all between is plain ASCII; else notes how far it is not. */
  #skipPlainText(bytes: Uint8Array, at: number, end: number): number {
    // What follows `end` in the reader's own buffer is stale: a `<` found there does not count.
    const found = bytes.subarray(at, end).indexOf(LESS);
    const stop = found < 0 ? end : at + found;
    if (!NOT_PLAIN.test(binaryFromBytes(bytes, at, stop))) return stop;
    this.#oddUntil = stop;
    return at;
  }

  /** `at` is a `<`. */
  #markup(bytes: Uint8Array, at: number, end: number): number {
    if (at + 1 >= end) return MORE;
    switch (bytes[at + 1]) {
      case SLASH:
        return this.#endTag(bytes, at, end);
      case BANG:
        return this.#cdata(bytes, at, end);
      case QUESTION:
        throw new XmlError("restricted-xml", "A processing instruction"); // RFC 6120 §11.1
      default:
        return this.#startTag(bytes, at, end);
    }
  }

  #startTag(bytes: Uint8Array, at: number, end: number): number {
    if (!this.#search.found(bytes, end)) return MORE;
    const depth = this.#depth + 1;
    const known = depth === 1 ? head : depth === 2 ? this.#knownChild() : undefined;
    const after =
      known === undefined
        ? scanStartTag(bytes, at + 1, end, this.#limits)
        : known.scan(bytes, at, end, this.#limits);
    if (after === MORE) {
      this.#search.start(at + 1);
      this.#search.found(bytes, end);
      return MORE;
    }
    this.#search.stop();
    if (depth > this.#limits.maxDepth) {
      const max = this.#limits.maxDepth;
      throw new XmlError(
        "policy-violation",
        `Elements nested ${depth} deep: the maximum is ${max}`,
      );
    }
    this.kinds |= tag.kinds;
    if (tag.prefixed) this.#prefixes.enter(bytes, depth);
    if (depth === 1) this.#takeHead(bytes);
    else if (known !== undefined && this.#payloadCount < PAYLOADS_MAX) {
      this.#takePayload(bytes, known);
    }
    if (tag.selfClosing) this.#prefixes.leave(depth - 1);
    else {
      this.#open[2 * depth - 2] = tag.nameStart;
      this.#open[2 * depth - 1] = tag.nameEnd;
      this.#depth = depth;
    }
    return after;
  }

  /** `</name>`, compared with the start tag's name byte by byte (XML 1.0 §3). */
  #endTag(bytes: Uint8Array, at: number, end: number): number {
    const name = this.#open[2 * this.#depth - 2] as number;
    const nameLength = (this.#open[2 * this.#depth - 1] as number) - name;
    const first = at + 2;
    let i = this.#seen > first ? this.#seen : first;
    for (; i < first + nameLength && i < end; i++) {
      if (bytes[i] !== bytes[name + i - first]) throw notWellFormed("An end tag of another name");
    }
    i = skipSpace(bytes, i, end);
    if (i >= end) {
      this.#seen = i;
      return MORE;
    }
    if (bytes[i] !== GREATER) throw notWellFormed("An end tag of another name");
    this.#depth--;
    this.#prefixes.leave(this.#depth);
    return i + 1;
  }

  #cdata(bytes: Uint8Array, at: number, end: number): number {
    for (let k = 2; k < CDATA.length; k++) {
      if (at + k >= end) return MORE;
      const byte = bytes[at + k];
      if (byte === CDATA.charCodeAt(k)) continue;
      // RFC 6120 §11.1: comments and document type declarations
      const known = k === 2 && (byte === DASH || byte === LETTER_D);
      if (known) throw new XmlError("restricted-xml", "A comment or document type declaration");
      throw notWellFormed("<! begins nothing that may be here");
    }
    if (this.#depth === 0) throw new XmlError("bad-format", "CDATA between stanzas");
    const first = at + CDATA.length;
    let i = this.#seen > first ? this.#seen : first;
    let kinds = 0;
    for (; i < end; i++) {
      const byte = bytes[i] as number;
      const kind = classes[byte] as number;
      kinds |= kind;
      if (kind & FORBIDDEN) throw notWellFormed("A character that XML forbids");
      if (byte !== GREATER) continue;
      if (bytes[i - 1] === BRACKET && bytes[i - 2] === BRACKET) break;
    }
    this.kinds |= kinds;
    if (i < end) return i + 1;
    this.#seen = i;
    return MORE;
  }

  #takeHead(bytes: Uint8Array): void {
    this.nameEnd = tag.nameEnd;
    for (let k = 0; k < tag.attributes; k++) this.#takeAttribute(bytes, k);
    const inherited = this.#context.contentNamespace;
    this.declaresDefault = tag.xmlns >= 0;
    this.#defaultNamespace = head.defaultNamespace ?? inherited;
    this.name = head.name;
    this.namespace = this.#namespaceOf(bytes, head, inherited);
    this.spliceable = tag.colon < 0;
  }

  #takeAttribute(bytes: Uint8Array, k: number): void {
    switch (head.role(bytes, k)) {
      case TO:
        this.to = head.value(bytes, k, addresses);
        break;
      case FROM:
        this.from = head.value(bytes, k, addresses);
        break;
      case TYPE:
        this.type = head.value(bytes, k, names);
        break;
      case LANG:
        this.hasLang = true;
        break;
    }
  }

  #knownChild(): KnownTag | undefined {
    const { length } = children;
    return children[this.#payloadCount < length ? this.#payloadCount : length - 1];
  }

  #takePayload(bytes: Uint8Array, known: KnownTag): void {
    const { name } = known;
    const namespace = this.#namespaceOf(bytes, known, this.#defaultNamespace);
    if (this.#payloadCount++ > 0) this.payloads = [...this.payloads, { name, namespace }];
    else this.payloads = this.#single(name, namespace);
  }

  #single(name: string, namespace: string): readonly Payload[] {
    const [last] = this.#lastSingle;
    if (last.name === name && last.namespace === namespace) return this.#lastSingle;
    return (this.#lastSingle = [{ name, namespace }]);
  }

  #namespaceOf(bytes: Uint8Array, { defaultNamespace }: KnownTag, inherited: string): string {
    if (tag.colon >= 0) return this.#prefixes.resolve(names.get(bytes, tag.nameStart, tag.colon));
    return defaultNamespace ?? inherited;
  }

  /** Does the whole element use a prefix that only the stream header declares? */
  usesHeaderPrefix(): boolean {
    return this.#prefixes.usedHeader;
  }
}

/**
 * Known tag: what did an earlier start tag at this place say, and how much of it does this one say again?
 *
 *     <message to='juliet@capulet.example/balcony' type='chat' id='1'>
 *     <message to='juliet@capulet.example/balcony' type='chat' id='27'>
 *                                                              ^^ read
 *
 * Stanzas come in runs of a kind: their tags differ in some values, if at all. Scanning goes from left to right, so
 * what is spelled as in a tag that was found good is good, and a value that has not changed is a string
 * already. A tag that differs in more than values is scanned from there on. The known tag gives way to the next
 * when fewer of its values come again than did before.
 *
 * Tags with a prefix or a byte outside ASCII are not kept, nor long ones. One for all readers, and so no memory
 * of a connection: there is one thread, and a tag cut by the end of a chunk is scanned again as a whole.
 */
import { names, namespaces, type Interner } from "./interner.ts";
import {
  isWord,
  MORE,
  scanAttributes,
  scanStartTag,
  scanValue,
  SPAN,
  tag,
  WIDE,
  type ReaderLimits,
} from "./scanner.ts";
import { sameWords, wordsOf } from "./words.ts";

/** Longer tags are scanned each time, and those with more attributes. */
const LENGTH_MAX = 256;
const ATTRIBUTES_MAX = 16;

/** What an attribute is to a stanza. */
const OTHER = 0;
export const TO = 1;
export const FROM = 2;
export const TYPE = 3;
export const LANG = 4;

export class KnownTag {
  /** Of the tag scanned last: its name without prefix, its own default namespace. */
  name = "";
  defaultNamespace: string | undefined;
  /** So many of its attributes have the names of the known one's; bit k: attribute k has another value. */
  #recalled = 0;
  #changed = 0;

  readonly #bytes = new Uint8Array(LENGTH_MAX);
  readonly #words = new DataView(this.#bytes.buffer);
  /** 0: none is known. */
  #length = 0;
  #limits: ReaderLimits | undefined;
  /** Positions as in `tag`, but from the `<` on. */
  #nameEnd = 0;
  readonly #spans = new Int32Array(SPAN * ATTRIBUTES_MAX);
  #attributes = 0;
  #xmlns = -1;
  #selfClosing = false;
  #name = "";
  #defaultNamespace: string | undefined;
  readonly #roles = new Uint8Array(ATTRIBUTES_MAX);
  /** Values that somebody has asked for. */
  readonly #values: (string | undefined)[] = new Array(ATTRIBUTES_MAX).fill(undefined);
  /** Fewer values that come again are too few. */
  #expected = 1;

  /** As `scanStartTag`, but `at` is the `<`. */
  scan(bytes: Uint8Array, at: number, end: number, limits: ReaderLimits): number {
    let same = this.#limits === limits ? this.#same(bytes, 0, at, end) : 0;
    if (same <= this.#nameEnd) return this.#scanAll(bytes, at, end, limits);
    this.#recallName(at);
    /** What is at n of the known tag is at n + shift. */
    let shift = at;
    let after = at + this.#nameEnd;
    let unchanged = 0;
    for (let k = 0; k < this.#attributes; k++) {
      const span = SPAN * k;
      const valueStart = this.#spans[span + 3] as number;
      const valueEnd = this.#spans[span + 4] as number;
      if (same < valueStart) break;
      tag.spans[span] = shift + (this.#spans[span] as number);
      tag.spans[span + 1] = -1;
      tag.spans[span + 2] = shift + (this.#spans[span + 2] as number);
      tag.spans[span + 3] = shift + valueStart;
      if (same > valueEnd) {
        unchanged++;
        after = shift + valueEnd;
      } else {
        if (k === this.#xmlns) break;
        after = scanValue(bytes, shift + valueStart, end, this.#bytes[valueStart - 1] as number);
        if (after === MORE) return MORE;
        this.#changed |= 1 << k;
        shift = after - valueEnd;
        same = this.#same(bytes, valueEnd, after, end);
      }
      tag.spans[span + 4] = after++;
      tag.attributes = this.#recalled = k + 1;
    }
    if (this.#xmlns >= 0 && this.#xmlns < this.#recalled) {
      tag.xmlns = this.#xmlns;
      this.defaultNamespace = this.#defaultNamespace;
    }
    if (same === this.#length) {
      tag.selfClosing = this.#selfClosing;
      after = shift + same;
    } else {
      after = scanAttributes(bytes, after, end, limits);
      if (after === MORE) return MORE;
      if (tag.xmlns >= this.#recalled) {
        this.defaultNamespace = valueOf(bytes, tag.xmlns, namespaces);
      }
    }
    if (unchanged < this.#expected && unchanged < tag.attributes) {
      this.#learn(bytes, at, after, limits);
    } else this.#expected = unchanged;
    return after;
  }

  /** What attribute `k` of the tag scanned last is to a stanza. */
  role(bytes: Uint8Array, k: number): number {
    return k < this.#recalled ? (this.#roles[k] as number) : roleOf(bytes, k);
  }

  /** The unescaped value of attribute `k` of the tag scanned last. */
  value(bytes: Uint8Array, k: number, texts: Interner): string {
    if (k >= this.#recalled || (this.#changed >> k) & 1) return valueOf(bytes, k, texts);
    return (this.#values[k] ??= valueOf(bytes, k, texts));
  }

  /** Up to which index are the known tag's bytes, from `from` on, those from `at` on? */
  #same(bytes: Uint8Array, from: number, at: number, end: number): number {
    const shift = at - from;
    const to = this.#length < end - shift ? this.#length : end - shift;
    if (to === 0) return 0;
    let i = sameWords(this.#words, wordsOf(bytes), shift, from, to);
    while (i < to && this.#bytes[i] === bytes[i + shift]) i++;
    return i;
  }

  #recallName(at: number): void {
    tag.nameStart = at + 1;
    tag.nameEnd = at + this.#nameEnd;
    tag.colon = tag.xmlns = -1;
    tag.prefixed = false;
    tag.kinds = tag.attributes = 0;
    this.#recalled = this.#changed = 0;
    this.name = this.#name;
    this.defaultNamespace = undefined;
  }

  #scanAll(bytes: Uint8Array, at: number, end: number, limits: ReaderLimits): number {
    const after = scanStartTag(bytes, at + 1, end, limits);
    if (after === MORE) return MORE;
    this.#recalled = this.#changed = 0;
    this.name = names.get(bytes, tag.colon < 0 ? at + 1 : tag.colon + 1, tag.nameEnd);
    this.defaultNamespace = tag.xmlns < 0 ? undefined : valueOf(bytes, tag.xmlns, namespaces);
    this.#learn(bytes, at, after, limits);
    return after;
  }

  /** From now on the tag scanned last is the known one. */
  #learn(bytes: Uint8Array, at: number, after: number, limits: ReaderLimits): void {
    this.#length = 0;
    this.#expected = 1;
    const length = after - at;
    const { attributes, spans } = tag;
    if (length > LENGTH_MAX || attributes > ATTRIBUTES_MAX) return;
    if (tag.prefixed || tag.kinds & WIDE) return;
    for (let i = 0; i < length; i++) this.#bytes[i] = bytes[at + i] as number;
    for (let i = 0; i < SPAN * attributes; i++) this.#spans[i] = (spans[i] as number) - at;
    for (let k = 0; k < attributes; k++) {
      this.#roles[k] = roleOf(bytes, k);
      this.#values[k] = undefined;
    }
    this.#length = length;
    this.#limits = limits;
    this.#nameEnd = tag.nameEnd - at;
    this.#attributes = this.#recalled = attributes;
    this.#changed = 0;
    this.#xmlns = tag.xmlns;
    this.#selfClosing = tag.selfClosing;
    this.#name = this.name;
    this.#defaultNamespace = this.defaultNamespace;
  }
}

function roleOf(bytes: Uint8Array, k: number): number {
  const start = tag.spans[SPAN * k] as number;
  const end = tag.spans[SPAN * k + 2] as number;
  switch (end - start) {
    case 2:
      return isWord(bytes, start, end, "to") ? TO : OTHER;
    case 4:
      if (isWord(bytes, start, end, "type")) return TYPE;
      return isWord(bytes, start, end, "from") ? FROM : OTHER;
    case 8:
      return isWord(bytes, start, end, "xml:lang") ? LANG : OTHER;
    default:
      return OTHER;
  }
}

function valueOf(bytes: Uint8Array, k: number, texts: Interner): string {
  const span = SPAN * k;
  return texts.get(bytes, tag.spans[span + 3] as number, tag.spans[span + 4] as number);
}

/**
 * Known tag: what did an earlier start tag at this place say, and how much of it does this one say again?
 *
 *     <message to='juliet@capulet.example/balcony' type='chat' id='1'>
 *     <message to='juliet@capulet.example/balcony' type='chat' id='2'>
 *                                                 ^ read from here on
 *
 * Stanzas come in runs of a kind. A tag that begins as a known one has been found good that far, since scanning
 * goes from left to right: comparing bytes is all that is left to do, and its values are strings already. Whole
 * attributes count. The known tag gives way to the next when less of it comes again than did before.
 *
 * Tags with a prefix or a byte outside ASCII are not kept, nor long ones. One for all readers, and so no memory
 * of a connection: there is one thread, and a tag cut by the end of a chunk is scanned again as a whole.
 */
import { names, namespaces, type Interner } from "./interner.ts";
import {
  MORE,
  scanAttributes,
  scanStartTag,
  SPAN,
  tag,
  WIDE,
  type ReaderLimits,
} from "./scanner.ts";
import { sameWords, wordsOf } from "./words.ts";

/** Longer tags are scanned each time, and of those with more attributes the rest. */
const LENGTH_MAX = 256;
const ATTRIBUTES_MAX = 16;

export class KnownTag {
  /** Of the tag scanned last: its name without prefix, its own default namespace. */
  name = "";
  defaultNamespace: string | undefined;
  /** So many of its attributes are the known one's. */
  #recalled = 0;

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
  /** Values that somebody has asked for. */
  readonly #values: (string | undefined)[] = new Array(ATTRIBUTES_MAX).fill(undefined);
  /** Fewer attributes that come again are too few. */
  #expected = 1;

  /** As `scanStartTag`, but `at` is the `<`. */
  scan(bytes: Uint8Array, at: number, end: number, limits: ReaderLimits): number {
    const same = this.#limits === limits ? this.#same(bytes, at, end) : 0;
    if (same <= this.#nameEnd) return this.#scanAll(bytes, at, end, limits);
    const whole = same === this.#length;
    const recalled = whole ? this.#attributes : this.#attributesWithin(same);
    this.#recall(at, recalled);
    if (whole) {
      tag.selfClosing = this.#selfClosing;
      return at + same;
    }
    const from = recalled === 0 ? this.#nameEnd : this.#endOf(recalled - 1);
    const after = scanAttributes(bytes, at + from, end, limits);
    if (after === MORE) return MORE;
    if (tag.xmlns >= recalled) this.defaultNamespace = valueOf(bytes, tag.xmlns, namespaces);
    if (recalled < this.#expected) this.#learn(bytes, at, after, limits);
    else this.#expected = recalled;
    return after;
  }

  /** The unescaped value of attribute `k` of the tag scanned last. */
  value(bytes: Uint8Array, k: number, texts: Interner): string {
    if (k >= this.#recalled) return valueOf(bytes, k, texts);
    return (this.#values[k] ??= valueOf(bytes, k, texts));
  }

  /** How many bytes are those of the known tag? */
  #same(bytes: Uint8Array, at: number, end: number): number {
    const length = this.#length < end - at ? this.#length : end - at;
    if (length === 0) return 0;
    let i = sameWords(this.#words, 0, wordsOf(bytes), at, length);
    while (i < length && this.#bytes[i] === bytes[at + i]) i++;
    return i;
  }

  #endOf(attribute: number): number {
    return (this.#spans[SPAN * attribute + 4] as number) + 1;
  }

  #attributesWithin(length: number): number {
    let count = this.#attributes;
    while (count > 0 && this.#endOf(count - 1) > length) count--;
    return count;
  }

  /** Makes `tag` what it would be after so many attributes. */
  #recall(at: number, attributes: number): void {
    tag.nameStart = at + 1;
    tag.nameEnd = at + this.#nameEnd;
    tag.colon = -1;
    tag.prefixed = false;
    tag.kinds = 0;
    tag.xmlns = this.#xmlns < attributes ? this.#xmlns : -1;
    tag.attributes = attributes;
    const { spans } = tag;
    const known = this.#spans;
    for (let i = 0; i < SPAN * attributes; i += SPAN) {
      spans[i] = at + (known[i] as number);
      spans[i + 1] = -1;
      spans[i + 2] = at + (known[i + 2] as number);
      spans[i + 3] = at + (known[i + 3] as number);
      spans[i + 4] = at + (known[i + 4] as number);
    }
    this.#recalled = attributes;
    this.name = this.#name;
    this.defaultNamespace = tag.xmlns < 0 ? undefined : this.#defaultNamespace;
  }

  #scanAll(bytes: Uint8Array, at: number, end: number, limits: ReaderLimits): number {
    const after = scanStartTag(bytes, at + 1, end, limits);
    if (after === MORE) return MORE;
    this.#recalled = 0;
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
    for (let k = 0; k < attributes; k++) this.#values[k] = undefined;
    this.#length = length;
    this.#limits = limits;
    this.#nameEnd = tag.nameEnd - at;
    this.#attributes = this.#recalled = attributes;
    this.#xmlns = tag.xmlns;
    this.#selfClosing = tag.selfClosing;
    this.#name = this.name;
    this.#defaultNamespace = this.defaultNamespace;
  }
}

function valueOf(bytes: Uint8Array, k: number, texts: Interner): string {
  const span = SPAN * k;
  return texts.get(bytes, tag.spans[span + 3] as number, tag.spans[span + 4] as number);
}

/**
 * Known tag: what did the last start tag at this place say, and how much of it does this one say again?
 *
 *     <message to='juliet@capulet.example/balcony' type='chat' id='1'>
 *     <message to='juliet@capulet.example/balcony' type='chat' id='2'>
 *                                                 ^ read from here on
 *
 * Stanzas come in runs of a kind. A tag that begins as the last one did has been found good that far, since
 * scanning goes from left to right: comparing bytes is all that is left to do, and the strings of its values
 * are those of the last. Kept are whole attributes; tags with a prefix or a byte outside ASCII are not kept,
 * nor long ones. Shared by all readers, and so no memory of a connection: one thread, and what is cut by the
 * end of a chunk is scanned again as a whole.
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

/** Longer tags are scanned each time. */
const LENGTH_MAX = 256;

export class KnownTag {
  /** The element's name, without prefix, and its own default namespace, of the tag scanned last. */
  name = "";
  defaultNamespace: string | undefined;
  readonly #bytes = new Uint8Array(LENGTH_MAX);
  /** 0: nothing is known. */
  #length = 0;
  #limits: ReaderLimits | undefined;
  #selfClosing = false;
  #xmlns = -1;
  #attributes = 0;
  /** As in `tag`, but from the tag's `<` on. */
  #nameEnd = 0;
  readonly #spans: number[] = [];
  /** Values that somebody has asked for. */
  readonly #values: (string | undefined)[] = [];

  /** As `scanStartTag`, but `at` is the `<`. */
  scan(bytes: Uint8Array, at: number, end: number, limits: ReaderLimits): number {
    const same = this.#limits === limits ? this.#same(bytes, at, end) : 0;
    if (same <= this.#nameEnd) {
      const after = scanStartTag(bytes, at + 1, end, limits);
      if (after !== MORE) this.#learn(bytes, at, after, 0, limits);
      return after;
    }
    const whole = same === this.#length;
    const attributes = whole ? this.#attributes : this.#attributesWithin(same);
    this.#recall(at, attributes);
    if (whole) {
      tag.selfClosing = this.#selfClosing;
      return at + same;
    }
    const from = attributes === 0 ? this.#nameEnd : this.#endOf(attributes - 1);
    const after = scanAttributes(bytes, at + from, end, limits);
    if (after !== MORE) this.#learn(bytes, at, after, attributes, limits);
    return after;
  }

  /** The unescaped value of attribute `k` of the tag scanned last. */
  value(bytes: Uint8Array, k: number, texts: Interner): string {
    const known = this.#values[k];
    if (known !== undefined) return known;
    const text = valueOf(bytes, k, texts);
    this.#values[k] = text;
    return text;
  }

  /** How many bytes are those of the last tag? */
  #same(bytes: Uint8Array, at: number, end: number): number {
    const known = this.#bytes;
    const length = this.#length < end - at ? this.#length : end - at;
    let i = 0;
    while (i < length && known[i] === bytes[at + i]) i++;
    return i;
  }

  #endOf(attribute: number): number {
    return (this.#spans[SPAN * attribute + 4] as number) + 1;
  }

  #attributesWithin(length: number): number {
    let count = 0;
    while (count < this.#attributes && this.#endOf(count) <= length) count++;
    return count;
  }

  /** The tag scanned last is the known one, as far as its first `attributes`. */
  #recall(at: number, attributes: number): void {
    tag.nameStart = at + 1;
    tag.nameEnd = at + this.#nameEnd;
    tag.colon = -1;
    tag.prefixed = false;
    tag.kinds = 0;
    tag.xmlns = this.#xmlns < attributes ? this.#xmlns : -1;
    tag.attributes = attributes;
    for (let i = 0; i < SPAN * attributes; i += SPAN) {
      tag.spans[i] = at + (this.#spans[i] as number);
      tag.spans[i + 1] = -1;
      tag.spans[i + 2] = at + (this.#spans[i + 2] as number);
      tag.spans[i + 3] = at + (this.#spans[i + 3] as number);
      tag.spans[i + 4] = at + (this.#spans[i + 4] as number);
    }
  }

  /** Takes what is new: all but the first `attributes` and, if there are any, the name. */
  #learn(
    bytes: Uint8Array,
    at: number,
    after: number,
    attributes: number,
    limits: ReaderLimits,
  ): void {
    const from = attributes === 0 ? 0 : this.#endOf(attributes - 1);
    if (attributes === 0) {
      this.name = names.get(bytes, tag.colon < 0 ? at + 1 : tag.colon + 1, tag.nameEnd);
    }
    if (tag.xmlns < 0) this.defaultNamespace = undefined;
    else if (tag.xmlns >= attributes) {
      this.defaultNamespace = valueOf(bytes, tag.xmlns, namespaces);
    }
    for (let k = attributes; k < tag.attributes; k++) this.#values[k] = undefined;
    const length = after - at;
    const kept = length <= LENGTH_MAX && !tag.prefixed && !(tag.kinds & WIDE);
    this.#length = kept ? length : 0;
    this.#nameEnd = tag.nameEnd - at;
    if (!kept) return;
    for (let i = from; i < length; i++) this.#bytes[i] = bytes[at + i] as number;
    for (let i = SPAN * attributes; i < SPAN * tag.attributes; i++) {
      this.#spans[i] = (tag.spans[i] as number) - at;
    }
    this.#limits = limits;
    this.#selfClosing = tag.selfClosing;
    this.#xmlns = tag.xmlns;
    this.#attributes = tag.attributes;
  }
}

function valueOf(bytes: Uint8Array, k: number, texts: Interner): string {
  const span = SPAN * k;
  return texts.get(bytes, tag.spans[span + 3] as number, tag.spans[span + 4] as number);
}

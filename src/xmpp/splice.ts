/**
 * Splice: how is a received stanza forwarded without being parsed and written again?
 *
 *     <message to='a@x' id='1'><body>…   ->   <message from='b@y/r' to='a@x' id='1'><body>…
 *
 * The bytes have been proved good, so another stream may be sent the same bytes: what changes is put in
 * right after the name, and what it replaces is cut out of the start tag. Where an attribute lies is not
 * kept: its tag is scanned again when somebody asks, which is seldom.
 */
import {
  binaryFromBytes,
  binaryFromText,
  bytesFromBinary,
  copyBytes,
  textFromBytes,
  type BinaryString,
} from "../base/bytes.ts";
import { Chunk } from "../base/chunk.ts";
import type { ElementScan } from "./element-scan.ts";
import { escapeValue, valueFromBytes } from "./escape.ts";
import { ObjectInterner } from "./interner.ts";
import type { StreamContext } from "./prefixes.ts";
import { isWord, NO_LIMITS, scanStartTag, SPAN, tag } from "./scanner.ts";

/** Addresses to write instead of a stanza's own: undefined leaves them, null removes them. */
export interface AddressChange {
  readonly from?: string | null | undefined;
  readonly to?: string | null | undefined;
}

/**
 * `<message from='…'` of those who send: made once, and flat, for a string of many parts is dear to write.
 * So for each kind of stanza; nothing else is stamped often. The last one is at hand without a search.
 */
const beginnings = new Map(
  ["message", "presence", "iq"].map((name) => [
    name,
    {
      known: new ObjectInterner<BinaryString>(16_384),
      make: (from: string) =>
        binaryFromBytes(bytesFromBinary(`<${name} from='${escapeValue(from)}'`)),
    },
  ]),
);
const last = { name: "", from: "", beginning: "" };

function beginningOf(name: string, from: string | null | undefined): BinaryString {
  if (typeof from !== "string") return `<${binaryFromText(name)}`;
  if (from === last.from && name === last.name) return last.beginning;
  const kind = beginnings.get(name);
  last.beginning =
    kind === undefined
      ? `<${binaryFromText(name)} from='${escapeValue(from)}'`
      : kind.known.get(from, kind.make);
  last.name = name;
  last.from = from;
  return last.beginning;
}

export class ReceivedElement {
  /** What it inherits from its stream. */
  readonly context: StreamContext;
  /** Do the bytes mean the same on another stream? Not with a prefix that only this stream's header declares. */
  readonly spliceable: boolean;
  readonly usesHeaderPrefix: boolean;
  readonly declaresDefault: boolean;
  readonly size: number;
  readonly #hasLang: boolean;
  #chunk: Chunk;
  #start: number;
  /** Bytes of `<name`. */
  readonly #nameLength: number;

  /** Of what `scan` has just found to end before `end`. */
  constructor(chunk: Chunk, scan: ElementScan, end: number, context: StreamContext) {
    this.context = context;
    this.usesHeaderPrefix = scan.usesHeaderPrefix();
    this.spliceable = scan.spliceable && !this.usesHeaderPrefix;
    this.declaresDefault = scan.declaresDefault;
    this.size = end - scan.start;
    this.#hasLang = scan.hasLang;
    this.#chunk = chunk;
    this.#start = scan.start;
    this.#nameLength = scan.nameEnd - scan.start;
  }

  /** The value of an attribute of the element itself. */
  attribute(name: string): string | undefined {
    this.#scanStartTag();
    const span = this.#find(name);
    if (span < 0) return undefined;
    return valueFromBytes(
      this.#chunk.bytes,
      tag.spans[span + 3] as number,
      tag.spans[span + 4] as number,
    );
  }

  text(): string {
    return textFromBytes(this.#chunk.bytes, this.#start, this.#start + this.size);
  }

  /** Makes these bytes ours: the reader's may be overwritten once the turn is over. */
  own(): void {
    // The whole of its memory, not a part that looks like it (a field for this would cost every stanza).
    const { bytes } = this.#chunk;
    if (this.#start === 0 && bytes.buffer.byteLength === this.size) return;
    const copy = copyBytes(bytes, this.#start, this.#start + this.size);
    this.#chunk = new Chunk(copy, 0, this.size);
    this.#start = 0;
  }

  /** `xmlns`: the default namespace to declare; null: none, not even its own; undefined: as it is. */
  write(
    stanza: {
      readonly name: string;
      readonly from: string | undefined;
      readonly to: string | undefined;
    },
    address: AddressChange | undefined,
    xmlns: string | null | undefined,
  ): BinaryString {
    const from = address?.from;
    const to = address?.to;
    let out = beginningOf(stanza.name, from);
    if (typeof to === "string") out += ` to='${escapeValue(to)}'`;
    if (typeof xmlns === "string") out += ` xmlns='${escapeValue(xmlns)}'`;
    const { lang } = this.context;
    if (lang !== undefined && !this.#hasLang) out += ` xml:lang='${escapeValue(lang)}'`;
    const afterName = this.#start + this.#nameLength;
    const end = this.#start + this.size;
    const cutsFrom = from !== undefined && stanza.from !== undefined;
    const cutsTo = to !== undefined && stanza.to !== undefined;
    const cutsXmlns = xmlns !== undefined && this.declaresDefault;
    if (!cutsFrom && !cutsTo && !cutsXmlns) {
      return out + this.#chunk.binary(afterName, end);
    }
    const cut: string[] = [];
    if (cutsFrom) cut.push("from");
    if (cutsTo) cut.push("to");
    if (cutsXmlns) cut.push("xmlns");
    return out + this.#without(cut, afterName, end);
  }

  /** The bytes from `start` to `end` less these attributes, each with the space before it. */
  #without(attributes: readonly string[], start: number, end: number): BinaryString {
    this.#scanStartTag();
    const spans = attributes.map((name) => this.#find(name)).sort((a, b) => a - b);
    let out = "";
    let at = start;
    for (const span of spans) {
      out += this.#chunk.binary(at, (tag.spans[span] as number) - 1);
      at = (tag.spans[span + 4] as number) + 1;
    }
    return out + this.#chunk.binary(at, end);
  }

  #scanStartTag(): void {
    scanStartTag(this.#chunk.bytes, this.#start + 1, this.#start + this.size, NO_LIMITS);
  }

  /** Where the attribute's numbers are in `tag.spans`, or -1. */
  #find(name: string): number {
    for (let span = 0; span < SPAN * tag.attributes; span += SPAN) {
      const [start, end] = [tag.spans[span] as number, tag.spans[span + 2] as number];
      if (isWord(this.#chunk.bytes, start, end, name)) return span;
    }
    return -1;
  }
}

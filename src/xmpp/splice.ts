/**
 * Splice: how is a received stanza forwarded without being parsed and written again?
 *
 *     <message to='a@x' id='1'><body>…   ->   <message from='b@y/r' to='a@x' id='1'><body>…
 *
 * The bytes have been proved good, so another stream may be sent the same bytes: what changes is put in
 * right after the name, and what it replaces is cut out of the start tag. All offsets are relative to
 * the element's first byte.
 */
import {
  binaryFromBytes,
  binaryFromText,
  copyBytes,
  textFromBytes,
  type BinaryString,
} from "../base/bytes.ts";
import { escapeValue, valueFromBytes } from "./escape.ts";
import type { ElementScan } from "./element-scan.ts";
import type { StreamContext } from "./prefixes.ts";

/** Addresses to write instead of a stanza's own: undefined leaves them, null removes them. */
export interface AddressChange {
  readonly from?: string | null | undefined;
  readonly to?: string | null | undefined;
}

export class ReceivedElement {
  readonly context: StreamContext;
  readonly spliceable: boolean;
  readonly usesHeaderPrefix: boolean;
  readonly size: number;
  #bytes: Uint8Array;
  #start: number;
  readonly #nameEnd: number;
  readonly #toStart: number;
  readonly #toEnd: number;
  readonly #fromStart: number;
  readonly #fromEnd: number;
  readonly #idStart: number;
  readonly #idEnd: number;
  readonly #langStart: number;
  readonly #langEnd: number;
  readonly #xmlnsStart: number;
  readonly #xmlnsEnd: number;

  constructor(bytes: Uint8Array, scan: ElementScan, end: number, context: StreamContext) {
    const { start } = scan;
    this.context = context;
    this.usesHeaderPrefix = scan.usesHeaderPrefix();
    this.spliceable = scan.spliceable && !this.usesHeaderPrefix;
    this.size = end - start;
    this.#bytes = bytes;
    this.#start = start;
    this.#nameEnd = scan.nameEnd - start;
    this.#toStart = scan.toStart === 0 ? 0 : scan.toStart - start;
    this.#toEnd = scan.toEnd - start;
    this.#fromStart = scan.fromStart === 0 ? 0 : scan.fromStart - start;
    this.#fromEnd = scan.fromEnd - start;
    this.#idStart = scan.idStart === 0 ? 0 : scan.idStart - start;
    this.#idEnd = scan.idEnd - start;
    this.#langStart = scan.langStart === 0 ? 0 : scan.langStart - start;
    this.#langEnd = scan.langEnd - start;
    this.#xmlnsStart = scan.xmlnsStart === 0 ? 0 : scan.xmlnsStart - start;
    this.#xmlnsEnd = scan.xmlnsEnd - start;
  }

  get id(): string | undefined {
    return this.#value(this.#idStart, this.#idEnd);
  }

  /** Its own `xml:lang`, not the stream's. */
  get lang(): string | undefined {
    return this.#value(this.#langStart, this.#langEnd);
  }

  get hasOwnNamespace(): boolean {
    return this.#xmlnsStart > 0;
  }

  text(): string {
    return textFromBytes(this.#bytes, this.#start, this.#start + this.size);
  }

  /** Makes these bytes ours: the reader's may be overwritten once the turn is over. */
  own(): void {
    if (this.#start === 0 && this.#bytes.length === this.size) return;
    this.#bytes = copyBytes(this.#bytes, this.#start, this.#start + this.size);
    this.#start = 0;
  }

  /** `xmlns`: the default namespace to declare; null: none, not even its own; undefined: as it is. */
  write(
    name: string,
    address: AddressChange | undefined,
    xmlns: string | null | undefined,
  ): BinaryString {
    let out = `<${binaryFromText(name)}`;
    const from = address?.from;
    const to = address?.to;
    if (typeof from === "string") out += ` from='${escapeValue(from)}'`;
    if (typeof to === "string") out += ` to='${escapeValue(to)}'`;
    if (typeof xmlns === "string") out += ` xmlns='${escapeValue(xmlns)}'`;
    const { lang } = this.context;
    if (lang !== undefined && this.#langStart === 0) out += ` xml:lang='${escapeValue(lang)}'`;
    const cutFrom = from !== undefined && this.#fromStart > 0;
    const cutTo = to !== undefined && this.#toStart > 0;
    const cutXmlns = xmlns !== undefined && this.#xmlnsStart > 0;
    if (!cutFrom && !cutTo && !cutXmlns) return out + this.#binary(this.#nameEnd, this.size);
    const cuts: [number, number][] = [];
    // Space, name, equals sign and quote come before the value.
    if (cutFrom) cuts.push([this.#fromStart - 7, this.#fromEnd + 1]);
    if (cutTo) cuts.push([this.#toStart - 5, this.#toEnd + 1]);
    if (cutXmlns) cuts.push([this.#xmlnsStart - 8, this.#xmlnsEnd + 1]);
    cuts.sort((a, b) => a[0] - b[0]);
    let at = this.#nameEnd;
    for (const [start, end] of cuts) {
      out += this.#binary(at, start);
      at = end;
    }
    return out + this.#binary(at, this.size);
  }

  #binary(start: number, end: number): BinaryString {
    return binaryFromBytes(this.#bytes, this.#start + start, this.#start + end);
  }

  #value(start: number, end: number): string | undefined {
    if (start === 0) return undefined;
    return valueFromBytes(this.#bytes, this.#start + start, this.#start + end);
  }
}

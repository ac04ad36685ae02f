/**
 * Reader: which stream header, stanzas and stream end do these bytes spell?
 *
 *     prolog --[<stream:stream>]--> content --[</stream:stream>]--> closed
 *
 * Strict: what RFC 6120 §11 forbids is an `XmlError` with the condition to send, thrown by `next()`, and
 * the reader is dead. It is pulled, so that its owner can stop after any stanza: throttle, or go on with
 * another reader from `rest()` (a stream restart). Between stanzas it holds no buffer. Bytes are copied
 * only when a stanza is cut by the end of a chunk. Errors come at the byte that is wrong, but for a tag
 * cut by a chunk (when it is whole or too long) and for bad UTF-8 (at the end of the stanza).
 *
 * In "message" mode (RFC 7395) each push is one whole element, which brings its own namespaces.
 */
import { assert } from "../base/assert.ts";
import {
  allocBytes,
  binaryFromBytes,
  binaryFromText,
  copyBytes,
  textFromBytes,
} from "../base/bytes.ts";
import { Chunk } from "../base/chunk.ts";
import { ElementScan } from "./element-scan.ts";
import { names, namespaces, ObjectInterner } from "./interner.ts";
import { valueFromBytes } from "./escape.ts";
import { Prefixes, type StreamContext } from "./prefixes.ts";
import {
  checkEncoding,
  isWord,
  LESS,
  MORE,
  notWellFormed,
  scanStartTag,
  skipSpace,
  SLASH,
  SPAN,
  tag,
  WIDE,
  type ReaderLimits as AllLimits,
} from "./scanner.ts";
import { ReceivedElement } from "./splice.ts";
import { Stanza } from "./stanza.ts";
import { XmlError } from "./stream-error.ts";
import { TagSearch } from "./tag-search.ts";

export { XmlError } from "./stream-error.ts";

export interface ReaderLimits extends Partial<AllLimits> {
  readonly maxStanzaSize: number;
}

export interface StreamHeader {
  readonly kind: "opened";
  /** Without prefix. */
  readonly name: string;
  readonly prefix: string;
  readonly namespace: string;
  /** The default namespace declared on it; "" if none. */
  readonly contentNamespace: string;
  /** All attributes but namespace declarations, by qualified name. */
  readonly attributes: ReadonlyMap<string, string>;
}

export interface StreamEnd {
  readonly kind: "closed";
}

export type ReaderEvent = StreamHeader | Stanza | StreamEnd;

const QUESTION = 0x3f;
const GREATER = 0x3e;
/** Bytes of an XML declaration, or of an end tag besides its name: all that it needs and some white space. */
const SHORT_TAG_MAX = 256;
const EMPTY = new Uint8Array(0);
const NO_CONTEXT: StreamContext = { contentNamespace: "", lang: undefined, declarations: [] };
const sharedLimits = new ObjectInterner<AllLimits>(256);
const sharedContexts = new ObjectInterner<StreamContext>(256);
const STREAM_END: StreamEnd = { kind: "closed" };

/** Lent to whichever reader is scanning; one that is stopped amid a stanza keeps it until the end. */
const spare: { scan: ElementScan | undefined } = { scan: undefined };

export class Reader {
  readonly #limits: AllLimits;
  readonly #mode: "stream" | "message";
  #state: "prolog" | "content" | "ending" | "closed" | "dead" = "prolog";
  /** What has been pushed, of which `#at` to `#end` is unread. */
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  #end = 0;
  /** Are `#bytes` ours, to be appended to? */
  #owned = false;
  /** The same, for what is read out of them. */
  #chunk: Chunk | undefined;
  /** The stanza that the last chunk ended in. */
  #scan: ElementScan | undefined;
  /** The prolog's or the end's tag that the last chunk ended in. */
  #search: TagSearch | undefined;
  #declared = false;
  #context = NO_CONTEXT;
  /** Qualified name of the stream header, for its end tag. */
  #streamName = "";

  constructor(limits: ReaderLimits, mode: "stream" | "message" = "stream") {
    const all = { maxDepth: 64, maxAttributes: 64, maxNameLength: 256, ...limits };
    const { maxDepth, maxAttributes, maxNameLength, maxStanzaSize } = all;
    const key = `${maxDepth} ${maxAttributes} ${maxNameLength} ${maxStanzaSize}`;
    this.#limits = sharedLimits.get(key, () => all);
    this.#mode = mode;
  }

  /** `bytes` may be overwritten once `next()` has returned undefined; nothing is read here. */
  push(bytes: Uint8Array): void {
    if (this.#state === "dead") return;
    if (this.#at === this.#end) {
      this.#bytes = bytes;
      this.#chunk = undefined;
      this.#at = 0;
      this.#end = bytes.length;
      this.#owned = false;
      return;
    }
    assert(this.#mode === "stream", "a message is read before the next one is pushed");
    this.#append(bytes);
  }

  /** What was pushed and not read: for the reader that goes on after a stream restart. */
  rest(): Uint8Array {
    return copyBytes(this.#bytes, this.#at, this.#end);
  }

  /** The next event; undefined when more bytes are needed. Throws `XmlError` once. */
  next(): ReaderEvent | undefined {
    try {
      const event = this.#mode === "message" ? this.#message() : this.#event();
      if (event === undefined) this.#keepRest();
      return event;
    } catch (error) {
      this.#state = "dead";
      this.#release();
      throw error;
    }
  }

  #event(): ReaderEvent | undefined {
    switch (this.#state) {
      case "content":
        return this.#content();
      case "prolog":
        return this.#prolog();
      case "ending":
        this.#state = "closed";
        return STREAM_END;
      case "closed":
        this.#at = skipSpace(this.#bytes, this.#at, this.#end);
        if (this.#at < this.#end) throw notWellFormed("Something after the end of the stream");
        return undefined;
      case "dead":
        return undefined;
    }
  }

  #content(): Stanza | StreamEnd | undefined {
    if (this.#scan === undefined) {
      // White space between stanzas keeps a connection alive (RFC 6120 §4.6.1).
      this.#at = skipSpace(this.#bytes, this.#at, this.#end);
      if (this.#at === this.#end) return undefined;
      if (this.#bytes[this.#at] !== LESS) throw new XmlError("bad-format", "Text between stanzas");
      if (this.#at + 1 === this.#end) return undefined;
      if (this.#bytes[this.#at + 1] === SLASH) return this.#streamEnd();
    }
    return this.#stanza();
  }

  #stanza(): Stanza | undefined {
    const scan = this.#scan ?? this.#beginScan();
    const end = this.#scanEnd();
    const after = scan.run(this.#bytes, end);
    if (after === MORE) {
      this.#scan = scan;
      if (this.#isOverLimit()) {
        scan.finish(this.#bytes, end); // an earlier error is the one to report
        throw this.#tooLarge();
      }
      return undefined;
    }
    if (scan.kinds & WIDE) checkEncoding(this.#bytes, scan.start, after);
    this.#chunk ??= new Chunk(this.#bytes, this.#at, this.#end);
    const received = new ReceivedElement(this.#chunk, scan, after, this.#context);
    const stanza = new Stanza(scan, received);
    this.#scan = undefined;
    spare.scan = scan;
    this.#at = after;
    return stanza;
  }

  #beginScan(): ElementScan {
    const scan = spare.scan ?? new ElementScan(this.#limits, this.#context);
    spare.scan = undefined;
    scan.begin(this.#at, this.#limits, this.#context);
    return scan;
  }

  /** One whole element. */
  #message(): Stanza | undefined {
    if (this.#state === "dead") return undefined;
    this.#at = skipSpace(this.#bytes, this.#at, this.#end);
    if (this.#at === this.#end) return undefined;
    if (this.#xmlDeclaration()) this.#at = skipSpace(this.#bytes, this.#at, this.#end);
    if (this.#bytes[this.#at] !== LESS) throw new XmlError("bad-format", "Text outside an element");
    if (this.#bytes[this.#at + 1] === SLASH) throw notWellFormed("An end tag without a start tag");
    const stanza = this.#stanza();
    if (stanza === undefined) throw notWellFormed("A message that ends within an element");
    this.#at = skipSpace(this.#bytes, this.#at, this.#end);
    if (this.#at < this.#end) throw notWellFormed("More than one element in a message");
    this.#declared = false;
    return stanza;
  }

  #prolog(): StreamHeader | undefined {
    for (;;) {
      this.#at = skipSpace(this.#bytes, this.#at, this.#end);
      if (this.#at === this.#end) return undefined;
      if (this.#bytes[this.#at] !== LESS) throw notWellFormed("Text before the stream header");
      if (this.#at + 1 === this.#end) return undefined;
      if (this.#bytes[this.#at + 1] === 0x21) {
        throw new XmlError("restricted-xml", "A comment or document type declaration");
      }
      if (this.#bytes[this.#at + 1] !== QUESTION) return this.#header();
      if (!this.#xmlDeclaration()) return undefined;
    }
  }

  /** Reads `<?xml … ?>` if it is here, and whole. */
  #xmlDeclaration(): boolean {
    const at = this.#at;
    for (let k = 0; k < XML_DECLARATION.length; k++) {
      if (at + k >= this.#end) return false;
      if (this.#bytes[at + k] === XML_DECLARATION.charCodeAt(k)) continue;
      if (k < 2) return false;
      throw new XmlError("restricted-xml", "A processing instruction"); // RFC 6120 §11.1
    }
    if (this.#declared) throw new XmlError("restricted-xml", "A second XML declaration");
    const end = this.#shortTagEnd();
    if (end === MORE) return false;
    checkXmlDeclaration(textFromBytes(this.#bytes, at, end));
    this.#declared = true;
    this.#at = end;
    return true;
  }

  #header(): StreamHeader | undefined {
    const at = this.#at;
    const bytes = this.#bytes;
    const end = this.#scanEnd();
    if (this.#search !== undefined && !this.#search.found(bytes, end) && !this.#isOverLimit()) {
      return undefined;
    }
    const after = scanStartTag(bytes, at + 1, end, this.#limits);
    if (after === MORE) {
      if (this.#isOverLimit()) throw this.#tooLarge();
      this.#search = new TagSearch();
      this.#search.start(at + 1);
      this.#search.found(bytes, end);
      return undefined;
    }
    this.#search = undefined;
    if (tag.kinds & WIDE) checkEncoding(bytes, at, after);
    const prefixes = new Prefixes();
    if (tag.prefixed) prefixes.enter(bytes, 0);
    const header = headerOfTag(bytes, prefixes);
    this.#streamName = names.get(bytes, tag.nameStart, tag.nameEnd);
    const context: StreamContext = {
      contentNamespace: header.contentNamespace,
      lang: header.attributes.get("xml:lang"),
      declarations: prefixes.local(),
    };
    this.#context = sharedContexts.get(keyOf(context), () => context);
    this.#at = after;
    this.#state = tag.selfClosing ? "ending" : "content";
    return header;
  }

  /** `</stream:stream>` */
  #streamEnd(): StreamEnd | undefined {
    const end = this.#shortTagEnd();
    if (end === MORE) return undefined;
    const name = binaryFromBytes(this.#bytes, this.#at + 2, end - 1).replace(/[ \t\r\n]+$/, "");
    if (name !== binaryFromText(this.#streamName))
      throw notWellFormed("An end tag of another name");
    this.#at = end;
    this.#state = "closed";
    return STREAM_END;
  }

  /** Index after the `>` of an XML declaration or the stream's end tag, or `MORE`; short, as it is looked for anew. */
  #shortTagEnd(): number {
    const max = Math.min(this.#limits.maxStanzaSize, SHORT_TAG_MAX + this.#streamName.length);
    const end = Math.min(this.#end, this.#at + max);
    for (let i = this.#at; i < end; i++) if (this.#bytes[i] === GREATER) return i + 1;
    if (this.#end - this.#at < max) return MORE;
    throw new XmlError("policy-violation", `Tag of more than ${max} bytes: the maximum is ${max}`);
  }

  /** No element is scanned further than its limit. */
  #scanEnd(): number {
    return Math.min(this.#end, this.#at + this.#limits.maxStanzaSize);
  }

  /** Is what begins at `#at` still not whole when it has all the bytes it may have? */
  #isOverLimit(): boolean {
    return this.#end - this.#at >= this.#limits.maxStanzaSize;
  }

  #tooLarge(): XmlError {
    const max = this.#limits.maxStanzaSize;
    return new XmlError(
      "policy-violation",
      `Stanza of more than ${max} bytes: the maximum is ${max}`,
    );
  }

  /** The caller may now overwrite its bytes: what is unread moves to a buffer of ours. */
  #keepRest(): void {
    if (this.#at === this.#end) this.#release();
    else if (!this.#owned) this.#append(EMPTY);
  }

  #release(): void {
    this.#bytes = EMPTY;
    this.#chunk = undefined;
    this.#at = this.#end = 0;
    this.#owned = false;
  }

  /** Puts `more` after what is unread, in a buffer of ours that at least doubles as it grows. */
  #append(more: Uint8Array): void {
    this.#chunk = undefined;
    const unread = this.#end - this.#at;
    const size = unread + more.length;
    if (!this.#owned || this.#bytes.length < this.#end + more.length) {
      const bytes = allocBytes(Math.max(512, 2 * size));
      bytes.set(this.#bytes.subarray(this.#at, this.#end));
      this.#bytes = bytes;
      this.#scan?.rebase();
      this.#search?.rebase(this.#at);
      this.#at = 0;
      this.#end = unread;
      this.#owned = true;
    }
    this.#bytes.set(more, this.#end);
    this.#end += more.length;
  }
}

const XML_DECLARATION = "<?xml";
const DECLARATION = new RegExp(
  [
    /^<\?xml +version *= *(?:"1\.[0-9]+"|'1\.[0-9]+')/,
    /(?: +encoding *= *(?:"([A-Za-z][-._A-Za-z0-9]*)"|'([A-Za-z][-._A-Za-z0-9]*)'))?/,
    /(?: +standalone *= *(?:"(?:yes|no)"|'(?:yes|no)'))? *\?>$/,
  ]
    .map((part) => part.source.replaceAll(" ", "[ \\t\\r\\n]"))
    .join(""),
);

/** XML 1.0 §2.8; the encoding must be UTF-8 (RFC 6120 §11.6). */
function checkXmlDeclaration(text: string): void {
  if (!/^<\?xml[ \t\r\n]/.test(text)) {
    throw new XmlError("restricted-xml", "A processing instruction");
  }
  const found = DECLARATION.exec(text);
  if (found === null) throw notWellFormed("A malformed XML declaration");
  const encoding = found[1] ?? found[2] ?? "UTF-8";
  if (encoding.toUpperCase() !== "UTF-8") {
    throw new XmlError("unsupported-encoding", `Encoding ${encoding}: only UTF-8 is supported`);
  }
}

/** The start tag scanned last, as a stream header. */
function headerOfTag(bytes: Uint8Array, prefixes: Prefixes): StreamHeader {
  const attributes = new Map<string, string>();
  let contentNamespace = "";
  for (let span = 0; span < SPAN * tag.attributes; span += SPAN) {
    const [start = 0, colon = 0, nameEnd = 0, valueStart = 0, valueEnd = 0] = tag.spans.slice(
      span,
      span + SPAN,
    );
    if (span === SPAN * tag.xmlns) contentNamespace = namespaces.get(bytes, valueStart, valueEnd);
    else if (colon < 0 || !isWord(bytes, start, colon, "xmlns")) {
      attributes.set(names.get(bytes, start, nameEnd), valueFromBytes(bytes, valueStart, valueEnd));
    }
  }
  const prefix = tag.colon < 0 ? "" : names.get(bytes, tag.nameStart, tag.colon);
  return {
    kind: "opened",
    name: names.get(bytes, tag.colon < 0 ? tag.nameStart : tag.colon + 1, tag.nameEnd),
    prefix,
    namespace: prefix === "" ? contentNamespace : prefixes.resolve(prefix),
    contentNamespace,
    attributes,
  };
}

/** Tells any two apart: U+0000 is in no document. */
function keyOf({ contentNamespace, lang, declarations }: StreamContext): string {
  let key = `${contentNamespace}\0${lang === undefined ? "" : `=${lang}`}`;
  for (const { prefix, namespace, depth } of declarations) {
    key += `\0${prefix}\0${namespace}\0${depth}`;
  }
  return key;
}

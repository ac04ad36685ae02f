/**
 * Tree: an element as an ltx tree, from text that the scanner has proved good, and back.
 *
 * Reading checks nothing again. Writing resolves every prefix of an element name and declares default
 * namespaces instead, so that what is written needs nothing from where it is put.
 */
import { Element } from "ltx";
import type { BinaryString } from "../base/bytes.ts";
import { binaryFromText } from "../base/bytes.ts";
import {
  escapeText,
  escapeValue,
  normaliseLineEnds,
  unescapeText,
  unescapeValue,
} from "./escape.ts";
import { NS } from "./namespaces.ts";

const CDATA = "<![CDATA[";
const CDATA_END = "]]>";
const START_TAG = /<([^ \t\r\n/>]+)/y;
const ATTRIBUTE = /[ \t\r\n]+([^ \t\r\n=/>]+)[ \t\r\n]*=[ \t\r\n]*(?:"([^"]*)"|'([^']*)')/y;
const START_TAG_END = /[ \t\r\n]*(\/?)>/y;

/** One well-formed element without comments and processing instructions. */
export function parseElement(text: string): Element {
  let parent: Element | undefined;
  let at = 0;
  for (;;) {
    if (parent !== undefined) at = addText(parent, text, at);
    if (text.startsWith("</", at)) {
      at = text.indexOf(">", at) + 1;
      const up: Element | null | undefined = parent?.parent;
      if (parent !== undefined && !up) return parent;
      parent = up ?? undefined;
      continue;
    }
    START_TAG.lastIndex = at;
    const element = new Element(START_TAG.exec(text)?.[1] ?? "");
    at = addAttributes(element, text, START_TAG.lastIndex);
    START_TAG_END.lastIndex = at;
    const empty = START_TAG_END.exec(text)?.[1] === "/";
    at = START_TAG_END.lastIndex;
    parent?.cnode(element);
    if (!empty) parent = element;
    else if (parent === undefined) return element;
  }
}

function addAttributes(element: Element, text: string, from: number): number {
  let at = from;
  for (;;) {
    ATTRIBUTE.lastIndex = at;
    const found = ATTRIBUTE.exec(text);
    if (found === null) return at;
    at = ATTRIBUTE.lastIndex;
    const [, name = "", double, single] = found;
    element.attrs[name] = unescapeValue(double ?? single ?? "");
  }
}

/** Adds text and CDATA up to the next tag as one node; returns where the tag begins. */
function addText(parent: Element, text: string, from: number): number {
  let content = "";
  let at = from;
  for (;;) {
    const tag = text.indexOf("<", at);
    content += unescapeText(text.slice(at, tag));
    at = tag;
    if (!text.startsWith(CDATA, at)) break;
    const end = text.indexOf(CDATA_END, at);
    content += normaliseLineEnds(text.slice(at + CDATA.length, end));
    at = end + CDATA_END.length;
  }
  if (content !== "") parent.t(content);
  return at;
}

const isContentNamespace = (namespace: string): boolean =>
  namespace === NS.client || namespace === NS.server;

export interface WriteOptions {
  /** The default namespace where the element is put. */
  readonly context: string;
  /** What an element without namespace is in; the tree may have been made without one. */
  readonly assumed: string;
  /** Attributes of the root written instead of its own; null: not at all. */
  readonly attributes: Readonly<Record<string, string | null | undefined>>;
}

export function writeElement(root: Element, options: WriteOptions): BinaryString {
  const inherited = root.parent?.findNS() ?? options.assumed;
  const namespace = namespaceOf(root, inherited);
  // The same stanza is in jabber:client to clients and in jabber:server to servers (RFC 6120 §4.8.3).
  const requalify =
    namespace !== options.context &&
    isContentNamespace(namespace) &&
    isContentNamespace(options.context);
  const writer = new TreeWriter(namespace, requalify ? options.context : namespace);
  const attributes: Record<string, unknown> = { ...root.attrs };
  for (const [name, value] of Object.entries(options.attributes)) {
    if (value !== undefined) attributes[name] = value;
  }
  writer.write(root, attributes, inherited, options.context, true);
  return writer.out;
}

/** `xmlns=''` too, which `getNS` overlooks. */
export function namespaceOf(element: Element, inherited: string): string {
  const colon = element.name.indexOf(":");
  if (colon >= 0) return element.findNS(element.name.slice(0, colon)) ?? "";
  const own: unknown = element.attrs["xmlns"];
  return typeof own === "string" ? own : inherited;
}

class TreeWriter {
  out: BinaryString = "";
  /** Elements of namespace `#old` that are there by inheritance or prefix are written in `#new`. */
  readonly #old: string;
  readonly #new: string;

  constructor(old: string, replacement: string) {
    this.#old = old;
    this.#new = replacement;
  }

  /** `inherited` is the default namespace in the tree, `written` the one in force in the output. */
  write(
    element: Element,
    attributes: Readonly<Record<string, unknown>>,
    inherited: string,
    written: string,
    requalify: boolean,
  ): void {
    const namespace = namespaceOf(element, inherited);
    const replaced = requalify && namespace === this.#old;
    const target = replaced ? this.#new : namespace;
    const name = binaryFromText(element.name.slice(element.name.indexOf(":") + 1));
    this.out += `<${name}`;
    if (target !== written) this.out += ` xmlns='${escapeValue(target)}'`;
    for (const key of Object.keys(attributes)) this.#attribute(key, attributes[key]);
    if (element.children.length === 0) {
      this.out += "/>";
      return;
    }
    this.out += ">";
    const own: unknown = element.attrs["xmlns"];
    const childInherited = typeof own === "string" ? own : inherited;
    for (const child of element.children) {
      if (!(child instanceof Element)) this.out += escapeText(String(child));
      else {
        const explicit = child.attrs["xmlns"] !== undefined && !child.name.includes(":");
        this.write(child, child.attrs, childInherited, target, replaced && !explicit);
      }
    }
    this.out += `</${name}>`;
  }

  #attribute(name: string, value: unknown): void {
    const text = name === "xmlns" ? undefined : attributeText(value);
    if (text !== undefined) this.out += ` ${binaryFromText(name)}='${escapeValue(text)}'`;
  }
}

/** ltx takes anything for an attribute's value; ours are text, and numbers where a feature counts. */
export function attributeText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : undefined;
}

/**
 * Two readers: what do ours and saxes, an independent strict parser, make of the same bytes?
 *
 * saxes reads XML; what RFC 6120 §11 forbids beyond that is refused around it here.
 */
import { SaxesParser, type SaxesTagNS } from "saxes";
import { isUtf8 } from "../../src/base/bytes.ts";
import { Reader, XmlError } from "../../src/xmpp/reader.ts";
import type { Stanza } from "../../src/xmpp/stanza.ts";
import { meaningOf, textOf, type Meaning } from "../arbitraries/xml.ts";

export const STANZA_MAX = 40_000;
export const limits = { maxStanzaSize: STANZA_MAX };

export interface Outcome {
  readonly stanzas: readonly Meaning[];
  /** A stream error condition, or how far a stream without error came. */
  readonly verdict: string;
  readonly header?: unknown;
}

/** Pushes each chunk in a buffer that is overwritten afterwards, as a socket's is. */
export function read(chunks: readonly Uint8Array[], heads?: Stanza[]): Outcome {
  const reader = new Reader(limits);
  const stanzas: Meaning[] = [];
  let header: unknown;
  let verdict = "reads on";
  const shared = new Uint8Array(Math.max(1, ...chunks.map((chunk) => chunk.length)));
  try {
    for (const chunk of chunks) {
      shared.set(chunk);
      reader.push(shared.subarray(0, chunk.length));
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.kind === "opened") header = { ...event, attributes: [...event.attributes] };
        else if (event.kind === "closed") verdict = "closed";
        else {
          stanzas.push(withoutLang(meaningOf(event.element())));
          heads?.push(event);
        }
      }
      shared.fill(0x3c);
    }
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    verdict = error.condition;
  }
  return { stanzas, verdict, header };
}

/** The stream's language is added to a stanza without one; saxes does not know of that. */
function withoutLang(meaning: Meaning): Meaning {
  const { "{http://www.w3.org/XML/1998/namespace}lang": _, ...attributes } = meaning.attributes;
  return { ...meaning, attributes };
}

class Refused extends Error {}

/** saxes lets a local part begin with what no name may begin with (Namespaces in XML 1.0 §4). */
const beginsWrongly = (local: string): boolean =>
  /^[-.0-9\u00B7\u203F\u2040]/.test(local) || (local >= "\u0300" && local < "\u0370");

/** What saxes makes of it, less what RFC 6120 forbids and XML allows. */
export function oracle(bytes: Uint8Array): { taken: boolean; stanzas: readonly Meaning[] } {
  if (!isUtf8(bytes)) return { taken: false, stanzas: [] };
  const stanzas: Meaning[] = [];
  const open: {
    name: string;
    attributes: Record<string, string>;
    children: (Meaning | string)[];
  }[] = [];
  const refuse = (): never => {
    throw new Refused();
  };
  const text = (content: string): void => {
    const parent = open.at(-1);
    if (open.length === 1 && !/^[ \t\r\n]*$/.test(content)) refuse();
    if (parent === undefined || content === "") return;
    const last = parent.children.at(-1);
    if (typeof last === "string") parent.children[parent.children.length - 1] = last + content;
    else parent.children.push(content);
  };
  const parser = new SaxesParser({ xmlns: true, fragment: false });
  parser.on("error", refuse);
  parser.on("comment", refuse);
  parser.on("processinginstruction", refuse);
  parser.on("doctype", refuse);
  parser.on("xmldecl", ({ encoding }) => {
    if ((encoding ?? "utf-8").toLowerCase() !== "utf-8") refuse();
  });
  parser.on("text", text);
  parser.on("cdata", (content) => (open.length < 2 ? refuse() : text(content)));
  parser.on("opentag", (tag: SaxesTagNS) => {
    if (tag.prefix === "xml" || "__proto__" in { ...tag.attributes, __proto__: null }) refuse();
    const locals = [tag, ...Object.values(tag.attributes)].map(({ local }) => local);
    if (locals.some(beginsWrongly)) refuse();
    open.push({ name: `{${tag.uri}}${tag.local}`, attributes: attributesOf(tag), children: [] });
  });
  parser.on("closetag", () => {
    const element = open.pop();
    if (element === undefined) return;
    if (open.length > 1) open.at(-1)?.children.push(element);
    else if (open.length === 1) stanzas.push(withoutLang(element));
  });
  try {
    parser.write(textOf(bytes)).close();
    return { taken: true, stanzas };
  } catch (error) {
    if (error instanceof Refused) return { taken: false, stanzas };
    throw error;
  }
}

function attributesOf(tag: SaxesTagNS): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const { uri, prefix, local, value } of Object.values(tag.attributes)) {
    if (prefix === "xmlns" || (prefix === "" && local === "xmlns")) continue;
    attributes[prefix === "" ? local : `{${uri}}${local}`] = value;
  }
  return attributes;
}

/**
 * Two beginnings on which we differ: white space before the XML declaration is let pass, for clients send
 * some at a stream restart, and U+FEFF is not a mark of the encoding (RFC 6120 §11.6).
 */
const beginsOddly = (bytes: Uint8Array): boolean =>
  /^(?:[ \t\r\n]+<\?xml|\uFEFF)/.test(textOf(bytes));

/** saxes trims namespace names, of U+FEFF too; a name is what is written (Namespaces in XML 1.0 §2.3). */
const namesNamespaceBySpace = (bytes: Uint8Array): boolean =>
  /xmlns(?::[^=\s]*)?\s*=\s*(?:"(?:\s[^"]*|[^"]*\s)"|'(?:\s[^']*|[^']*\s)')/.test(textOf(bytes));

/** Where the two may differ for reasons that are known. */
export const isDisputed = (bytes: Uint8Array): boolean =>
  beginsOddly(bytes) || namesNamespaceBySpace(bytes);

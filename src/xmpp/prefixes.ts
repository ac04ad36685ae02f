/**
 * Prefixes: which namespace does a prefix stand for here?
 *
 * Only tags with a colon in some name come here. Declarations are a list in document order, each with
 * the depth of its element; those of the stream header are asked last.
 */
import { textFromBytes } from "../base/bytes.ts";
import { namespaces, names } from "./interner.ts";
import { NS } from "./namespaces.ts";
import { isWord, notWellFormed, SPAN, tag } from "./scanner.ts";
import { XmlError } from "./stream-error.ts";

export interface Declaration {
  readonly prefix: string;
  readonly namespace: string;
  readonly depth: number;
}

/** What a stanza inherits from its stream. */
export interface StreamContext {
  /** The default namespace of the stream header; "" if none. */
  readonly contentNamespace: string;
  /** `xml:lang` of the stream header (RFC 6120 §4.7.4). */
  readonly lang: string | undefined;
  readonly declarations: readonly Declaration[];
}

export class Prefixes {
  #header: readonly Declaration[] = [];
  /** Undefined until the first declaration: most stanzas have none. */
  #local: Declaration[] | undefined;
  /** Was a prefix of the stream header used? */
  usedHeader = false;

  reset(header: readonly Declaration[]): void {
    this.#header = header;
    this.#local = undefined;
    this.usedHeader = false;
  }

  local(): readonly Declaration[] {
    return this.#local ?? [];
  }

  /** Takes the declarations of the start tag scanned last, then checks that its prefixes are declared. */
  enter(bytes: Uint8Array, depth: number): void {
    let prefixed = tag.colon >= 0 ? 1 : 0;
    for (let span = 0; span < SPAN * tag.attributes; span += SPAN) {
      const colon = tag.spans[span + 1] as number;
      if (colon < 0) continue;
      const start = tag.spans[span] as number;
      if (isWord(bytes, start, colon, "xmlns")) this.#declare(bytes, span, depth);
      else if (!isWord(bytes, start, colon, "xml")) prefixed++;
    }
    if (prefixed > 0) this.#check(bytes);
  }

  /** Forgets what elements deeper than `depth` declared. */
  leave(depth: number): void {
    const local = this.#local;
    if (local === undefined) return;
    let length = local.length;
    while (length > 0 && (local[length - 1] as Declaration).depth > depth) length--;
    local.length = length;
  }

  resolve(prefix: string): string {
    const namespace = this.#find(prefix);
    if (namespace !== undefined) return namespace;
    throw new XmlError("bad-namespace-prefix", `The prefix ${prefix} is not declared`);
  }

  #find(prefix: string): string | undefined {
    const local = this.#local;
    if (local !== undefined) {
      for (let i = local.length - 1; i >= 0; i--) {
        const declaration = local[i] as Declaration;
        if (declaration.prefix === prefix) return declaration.namespace;
      }
    }
    for (const declaration of this.#header) {
      if (declaration.prefix !== prefix) continue;
      this.usedHeader = true;
      return declaration.namespace;
    }
    return undefined;
  }

  /** Namespaces in XML 1.0 §3. */
  #declare(bytes: Uint8Array, span: number, depth: number): void {
    const colon = tag.spans[span + 1] as number;
    const prefix = names.get(bytes, colon + 1, tag.spans[span + 2] as number);
    const start = tag.spans[span + 3] as number;
    const namespace = namespaces.get(bytes, start, tag.spans[span + 4] as number);
    const wrong =
      prefix === "xmlns" ||
      namespace === NS.xmlns ||
      (prefix === "xml") !== (namespace === NS.xml) ||
      namespace === "";
    if (wrong) throw new XmlError("bad-namespace-prefix", `The prefix ${prefix} cannot be this`);
    (this.#local ??= []).push({ prefix, namespace, depth });
  }

  /** Namespaces in XML 1.0 §5 and §6.3: prefixes are declared, and no attribute is there twice. */
  #check(bytes: Uint8Array): void {
    if (tag.colon >= 0) this.resolve(textFromBytes(bytes, tag.nameStart, tag.colon));
    const seen: string[] = [];
    for (let span = 0; span < SPAN * tag.attributes; span += SPAN) {
      const colon = tag.spans[span + 1] as number;
      if (colon < 0) continue;
      const prefix = textFromBytes(bytes, tag.spans[span] as number, colon);
      if (prefix === "xmlns" || prefix === "xml") continue;
      const local = textFromBytes(bytes, colon + 1, tag.spans[span + 2] as number);
      const name = `${this.resolve(prefix)} ${local}`;
      if (seen.includes(name)) throw notWellFormed("The same attribute twice");
      seen.push(name);
    }
  }
}

/**
 * Stanza: one top-level element, received or made here; nobody else needs to know which.
 *
 * A received one is bytes that have been proved good plus what routing needs; its tree is built when a
 * feature first asks. It is immutable. What was received lies in the reader's memory until `copy()`:
 * whoever keeps a stanza past the turn calls it.
 */
import type { Element } from "ltx";
import type { BinaryString } from "../base/bytes.ts";
import { NS } from "./namespaces.ts";
import type { Payload, StanzaHead } from "./stanza-head.ts";
import type { AddressChange, ReceivedElement } from "./splice.ts";
import { attributeText, namespaceOf, parseElement, writeElement } from "./tree.ts";

const PAYLOADS_MAX = 8;

/**
 * What must be known of a stanza to write it to a client, and to give it back. Less than routing needs: one
 * that another node has read and passed on is written unread (see `src/router/sealed-stanza.ts`).
 */
export interface Sendable {
  /** Without prefix. */
  readonly name: string;
  readonly from: string | undefined;
  /** Bytes, as received or as it would be written to a client. */
  readonly size: number;
  /** Itself, in memory of its own. */
  copy(): Sendable;
  /** For a stream whose content namespace is `context`, see `Stanza`. */
  write(context: string, address?: AddressChange): BinaryString;
  /** All that it says. May throw where it has not been read yet. */
  open(): Stanza;
  /** An error or a result: no answer to it may be given (RFC 6120 §8.3.1), so its loss is told to nobody. */
  isAnswer(): boolean;
}

export class Stanza implements StanzaHead, Sendable {
  /** Without prefix. */
  readonly name: string;
  readonly namespace: string;
  /** Values of the attributes as they were sent, unescaped, not prepared. */
  readonly to: string | undefined;
  readonly from: string | undefined;
  readonly type: string | undefined;
  /** The child elements, of which only the first 8 are told. */
  readonly payloads: readonly Payload[];
  readonly #received: ReceivedElement | undefined;
  #element: Element | undefined;

  /** For the reader; `Stanza.of` makes one of a tree. */
  constructor(head: StanzaHead, received?: ReceivedElement, element?: Element) {
    this.name = head.name;
    this.namespace = head.namespace;
    this.to = head.to;
    this.from = head.from;
    this.type = head.type;
    this.payloads = head.payloads;
    this.#received = received;
    this.#element = element;
  }

  /** Made here. A tree without `xmlns` is in jabber:client. Do not change the tree afterwards. */
  static of(element: Element): Stanza {
    const namespace = element.getNS() ?? NS.client;
    return new Stanza(
      {
        name: element.getName(),
        namespace,
        to: attribute(element, "to"),
        from: attribute(element, "from"),
        type: attribute(element, "type"),
        payloads: element
          .getChildElements()
          .slice(0, PAYLOADS_MAX)
          .map((child) => ({ name: child.getName(), namespace: child.getNS() ?? namespace })),
      },
      undefined,
      element,
    );
  }

  get kind(): "element" {
    return "element";
  }

  get id(): string | undefined {
    return this.#attribute("id");
  }

  /** `xml:lang`, its own or the stream's (RFC 6120 §8.1.5). */
  get lang(): string | undefined {
    return this.#attribute("xml:lang") ?? this.#received?.context.lang;
  }

  /** Bytes, as received or as it would be written to a client. */
  get size(): number {
    return this.#received?.size ?? this.write(NS.client).length;
  }

  /** Does the start tag say which namespace it is in? Never so for one made here. */
  get declaresDefault(): boolean {
    const received = this.#received;
    return received !== undefined && received.spliceable && received.declaresDefault;
  }

  /** The tree, built once; all its prefixes and namespaces are declared within it. Not to be changed. */
  element(): Element {
    if (this.#element !== undefined) return this.#element;
    const received = this.#received;
    const element = parseElement(received?.text() ?? "");
    if (received !== undefined) declareInherited(element, received);
    this.#element = element;
    return element;
  }

  /** The first child element of this namespace (and name). */
  payload(namespace: string, name?: string): Element | undefined {
    // Most stanzas have few payloads: see whether a tree is worth building.
    if (this.payloads.length < PAYLOADS_MAX && !this.#lists(namespace, name)) return undefined;
    const root = this.element();
    const inherited = root.findNS() ?? (this.#received === undefined ? NS.client : "");
    for (const child of root.getChildElements()) {
      const matches = name === undefined || child.getName() === name;
      if (matches && namespaceOf(child, inherited) === namespace) return child;
    }
    return undefined;
  }

  /** Itself, in memory of its own. */
  copy(): Stanza {
    this.#received?.own();
    return this;
  }

  /** Has been read. */
  open(): Stanza {
    return this;
  }

  isAnswer(): boolean {
    return this.type === "error" || (this.name === "iq" && this.type === "result");
  }

  /**
   * For a stream whose content namespace is `context` ("" on a websocket, whose messages stand alone;
   * another element's namespace when it is put into that one). jabber:client and jabber:server become
   * each other (RFC 6120 §4.8.3); any other difference is declared.
   */
  write(context: string, address?: AddressChange): BinaryString {
    const received = this.#received;
    if (received === undefined || !received.spliceable) {
      return writeElement(this.element(), {
        context,
        assumed: received?.context.contentNamespace ?? NS.client,
        attributes: { from: address?.from, to: address?.to },
      });
    }
    const { namespace } = this;
    if (namespace === context) return received.write(this, address, undefined);
    const becomesContext =
      (namespace === NS.client && context === NS.server) ||
      (namespace === NS.server && context === NS.client);
    if (becomesContext) return received.write(this, address, null);
    const xmlns = received.declaresDefault ? undefined : namespace;
    return received.write(this, address, xmlns);
  }

  #attribute(name: string): string | undefined {
    if (this.#element !== undefined) return attribute(this.#element, name);
    return this.#received?.attribute(name);
  }

  #lists(namespace: string, name: string | undefined): boolean {
    for (const payload of this.payloads) {
      if (payload.namespace === namespace && (name === undefined || payload.name === name)) {
        return true;
      }
    }
    return false;
  }
}

function attribute(element: Element, name: string): string | undefined {
  if (!Object.hasOwn(element.attrs, name)) return undefined;
  const value: unknown = element.attrs[name];
  return attributeText(value);
}

/** Declares on the root what its stream header declared, and the stream's language. */
function declareInherited(root: Element, received: ReceivedElement): void {
  const { contentNamespace, declarations, lang } = received.context;
  const { attrs } = root;
  if (!Object.hasOwn(attrs, "xmlns") && contentNamespace !== "") attrs["xmlns"] = contentNamespace;
  if (!Object.hasOwn(attrs, "xml:lang") && lang !== undefined) attrs["xml:lang"] = lang;
  if (!received.usesHeaderPrefix) return;
  for (const { prefix, namespace } of declarations) {
    const name = `xmlns:${prefix}`;
    if (!Object.hasOwn(attrs, name)) attrs[name] = namespace;
  }
}

/**
 * Client inbox: the elements that a test's client has received, read by a strict foreign parser.
 *
 * What does not parse is remembered as `broken`: a test that asks for the next element learns of it.
 */
import { StringDecoder } from "node:string_decoder";
import { SaxesParser } from "saxes";

export interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Node[];
  text: string;
  /** As it was received. */
  xml: string;
}

interface Waiting {
  readonly wanted: (node: Node) => boolean;
  readonly found: (node: Node) => void;
  readonly failed: (error: Error) => void;
}

export class Inbox {
  /** All that was ever received, in the clear. */
  received = "";
  readonly nodes: Node[] = [];
  broken: Error | undefined;
  ended = false;
  isClosed = false;
  /** Whoever counts instead of asking is told of each element. */
  onNode: ((node: Node) => void) | undefined;
  /** The server's `</stream:stream>` has come. */
  onEnd: (() => void) | undefined;
  readonly closed: Promise<void>;
  #closing: () => void = () => undefined;
  #parser = this.#newParser();
  #decoder = new StringDecoder("utf8");
  #open: Node[] = [];
  #waiting: Waiting[] = [];

  constructor() {
    this.closed = new Promise((resolve) => (this.#closing = resolve));
  }

  /** A new stream: its header comes next. */
  restart(): void {
    this.#parser = this.#newParser();
    this.#open = [];
  }

  push(bytes: Buffer): void {
    const text = this.#decoder.write(bytes);
    this.received += text;
    if (this.broken === undefined) this.#parser.write(text);
  }

  close(): void {
    this.isClosed = true;
    this.#closing();
    for (const { failed } of this.#waiting.splice(0)) failed(new Error(this.#complaint()));
  }

  next(): Promise<Node> {
    return this.find(() => true);
  }

  /** The first element that is wanted, now or to come; those before it stay. */
  find(wanted: (node: Node) => boolean): Promise<Node> {
    const at = this.nodes.findIndex(wanted);
    const [node] = at < 0 ? [] : this.nodes.splice(at, 1);
    if (node !== undefined) return Promise.resolve(node);
    if (this.isClosed) return Promise.reject(new Error(this.#complaint()));
    return new Promise((found, failed) => this.#waiting.push({ wanted, found, failed }));
  }

  #complaint(): string {
    return `closed; last received: ${this.received.slice(-300)}`;
  }

  #take(node: Node): void {
    this.onNode?.(node);
    const at = this.#waiting.findIndex(({ wanted }) => wanted(node));
    const [waiting] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (waiting === undefined) this.nodes.push(node);
    else waiting.found(node);
  }

  #newParser(): SaxesParser<{ xmlns: true }> {
    const parser = new SaxesParser({ xmlns: true });
    let start = 0;
    parser.on("error", (error) => (this.broken ??= error));
    parser.on("opentagstart", () => {
      if (this.#open.length === 1) start = parser.position;
    });
    parser.on("opentag", ({ name, attributes }) => {
      const values = Object.entries(attributes).map(([key, { value }]) => [key, value]);
      const node: Node = {
        name,
        attributes: Object.fromEntries(values) as Record<string, string>,
        children: [],
        text: "",
        xml: "",
      };
      if (this.#open.length > 1) this.#open.at(-1)?.children.push(node);
      this.#open.push(node);
    });
    parser.on("text", (text) => {
      const node = this.#open.at(-1);
      if (node !== undefined && this.#open.length > 1) node.text += text;
    });
    parser.on("closetag", () => {
      const node = this.#open.pop();
      if (node === undefined || this.#open.length > 1) return;
      if (this.#open.length === 0) {
        this.ended = true;
        this.onEnd?.();
        return;
      }
      node.xml = describe(node, parser.position - start);
      this.#take(node);
    });
    return parser;
  }
}

/** For messages of failed tests. */
function describe(node: Node, length: number): string {
  const attributes = Object.entries(node.attributes).map(([key, value]) => ` ${key}='${value}'`);
  const inside = node.children.map((child) => describe(child, 0)).join("") + node.text;
  const xml = `<${node.name}${attributes.join("")}>${inside}</${node.name}>`;
  return length > 2_000 ? `${xml.slice(0, 2_000)}…` : xml;
}

/**
 * Node list: which nodes does a text, or a list of addresses, name?
 *
 * A node that is named by nothing but its address bears the name that it gives itself by default, so a
 * list of addresses is a list of names.
 */
import type { NodeName } from "./peer.ts";

/** A node, and where it is reached: `host:port`. */
export interface ListedNode {
  readonly name: NodeName;
  readonly address: string;
}

/** The name of a node that was given none. */
export const nodeNameOf = (address: string): NodeName => `meerkat@${address}`;

/** `host:port` with IPv6 in brackets; undefined for what is no address. */
export function withPort(address: string, port: number): string | undefined {
  const [, bracketed, host = bracketed, given] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+))(?::(\d{1,5}))?$/.exec(address) ?? [];
  if (host === undefined) {
    return /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(address)
      ? `[${address}]:${port}`
      : undefined;
  }
  const wanted = given === undefined ? port : Number(given);
  if (wanted < 1 || wanted > 65_535) return undefined;
  return `${bracketed === undefined ? host : `[${bracketed}]`}:${wanted}`;
}

/** Of IP addresses, as a resolver gives them; in one order, since resolvers shuffle. */
export function nodesAt(addresses: readonly string[], port: number): readonly ListedNode[] {
  const places = addresses.flatMap((address) => withPort(address, port) ?? []).toSorted();
  return places.map((address) => ({ name: nodeNameOf(address), address }));
}

export interface ParsedNodeList {
  readonly nodes: readonly ListedNode[];
  /** Numbers of lines that say nothing, from 1. */
  readonly badLines: readonly number[];
}

/** A node on each line, `ADDRESS` or `NAME ADDRESS`; `#` begins a comment. */
export function parseNodeList(text: string, port: number): ParsedNodeList {
  const nodes: ListedNode[] = [];
  const badLines: number[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    if (words[0] === "") return;
    const address = withPort(words.at(-1) ?? "", port);
    if (address === undefined || words.length > 2) badLines.push(index + 1);
    else {
      const name = words.length === 2 ? (words[0] ?? "") : nodeNameOf(address);
      nodes.push({ name, address });
    }
  });
  return { nodes, badLines };
}

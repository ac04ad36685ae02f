/** Links node: one mesh in the world, what its application was told, and the ends of its connections. */
import type { Mesh, MeshInput } from "../../src/cluster/mesh.ts";
import { kinds, type Message } from "../../src/cluster/messages.ts";
import type { Peer } from "../../src/cluster/peer.ts";

export const stanzaKind = kinds.stanza;
/** Any kind of the tables: links do not look into bodies. */
export const tableKind = kinds.have;

type TextClass = "stanza" | "table";

/** What a text tells of itself: by whom, in which session, and what was sent in it before. */
export interface Told {
  readonly tag: string;
  readonly of: TextClass;
  readonly stanzasBefore: number;
  readonly tablesBefore: number;
}

export function writeText(
  owner: Peer,
  { ordinal }: SessionSeen,
  kind: number,
  before: Readonly<Record<TextClass, number>>,
): string {
  const letter = kind === stanzaKind ? "s" : "t";
  return [owner.boot, ordinal, letter, before.stanza, before.table, ""].join("/");
}

export function readText(text: string): Told {
  const [boot, ordinal, letter, stanzas, tables] = text.split("/");
  const of = letter === "s" ? "stanza" : "table";
  const tag = `${boot}/${ordinal}`;
  return { tag, of, stanzasBefore: Number(stanzas), tablesBefore: Number(tables) };
}

/** How many of each class these are, by what the last one tells. */
export function countsOf(texts: readonly string[]): Record<TextClass, number> {
  const last = texts.at(-1);
  if (last === undefined) return { stanza: 0, table: 0 };
  const { of, stanzasBefore, tablesBefore } = readText(last);
  const counts = { stanza: stanzasBefore, table: tablesBefore };
  counts[of] += 1;
  return counts;
}

export function ofClass(texts: readonly string[], of: TextClass): string[] {
  return texts.filter((text) => readText(text).of === of);
}

/** One session as one side saw it. */
export interface SessionSeen {
  readonly owner: Peer;
  readonly peer: Peer;
  readonly ordinal: number;
  readonly upAt: number;
  downAt: number | undefined;
  readonly sent: string[];
  readonly received: string[];
  undelivered: readonly Message[] | undefined;
  final: boolean;
  reason: string;
}

export interface End {
  readonly node: Node;
  readonly id: number;
  open: boolean;
}

export interface Pipe {
  readonly from: End;
  readonly to: End;
  readonly key: string;
  readonly waiting: Segment[];
  readyAt: number;
  silent: boolean;
}
export type Segment = { type: "bytes"; data: string } | { type: "closed"; reason: string };

export class Node {
  readonly peer: Peer;
  readonly mesh: Mesh;
  readonly address: string;
  alive = true;
  pausedUntil = 0;
  readonly inbox: MeshInput[] = [];
  readonly ends = new Map<number, End>();
  readonly current = new Map<string, SessionSeen>();
  readonly events: { at: number; event: string; fields: Readonly<Record<string, unknown>> }[] = [];
  superseded: Peer | undefined;
  flushing = false;
  wakeAt = Infinity;

  constructor(peer: Peer, mesh: Mesh, address: string) {
    this.peer = peer;
    this.mesh = mesh;
    this.address = address;
  }
}

export interface Stranger {
  readonly id: number;
  closed: boolean;
  readonly heard: (bytes: string) => void;
  send(data: string): void;
  close(): void;
}

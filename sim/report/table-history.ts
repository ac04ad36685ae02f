/**
 * Table history: which node showed which records of whom, over time?
 *
 * A list of operations; the page plays them up to the moment that is looked at. Texts (peers, keys,
 * values) are kept once, operations name them by their index.
 */
import { bytesFromBinary, isUtf8, textFromBinary } from "../../src/base/bytes.ts";
import type { TraceEvent } from "../trace.ts";

/** `[at, node, op, table, owner, seq, put (keys and values in turn), gone]`; all but at and seq indices. */
export type TableOperation = readonly [
  at: number,
  node: number,
  op: "write" | "see" | "fresh" | "hide" | "join" | "end",
  table: number,
  owner: number,
  seq: number,
  put: readonly number[],
  gone: readonly number[],
];

export interface TableHistory {
  readonly texts: readonly string[];
  readonly operations: readonly TableOperation[];
  /** Later operations are not there. */
  readonly cutShort: boolean;
}

const operationsMax = 20_000;

export function tableHistory(events: readonly TraceEvent[]): TableHistory {
  const texts: string[] = [];
  const indices = new Map<string, number>();
  const index = (text: string): number => {
    const known = indices.get(text);
    if (known !== undefined) return known;
    texts.push(readable(text));
    indices.set(text, indices.size);
    return indices.size - 1;
  };
  const peers = new Map<string, string>();
  const operations: TableOperation[] = [];
  for (const event of events) {
    const { kind, data, at, place } = event;
    const node = (): number => index(place);
    const own = (): number => index(peers.get(place) ?? place);
    if (kind === "cluster-joined") {
      peers.set(place, data.peer);
      operations.push([at, node(), "join", index(""), own(), 0, [], []]);
    } else if (kind === "node-killed" || kind === "node-stopped" || kind === "node-crashed") {
      operations.push([at, node(), "end", index(""), own(), 0, [], []]);
    } else if (kind === "table-written") {
      const { table, seq, key, value, deleted } = data;
      const put = deleted ? [] : [index(key), index(value)];
      const gone = deleted ? [index(key)] : [];
      operations.push([at, node(), "write", index(table), own(), seq, put, gone]);
    } else if (kind === "table-seen") {
      const { table, owner, seq, fresh, put, gone } = data;
      const op = fresh ? "fresh" : "see";
      const lists = [put.map(index), gone.map(index)] as const;
      operations.push([at, node(), op, index(table), index(owner), seq, ...lists]);
    } else if (kind === "table-hidden") {
      const { table, owner } = data;
      operations.push([at, node(), "hide", index(table), index(owner), 0, [], []]);
    }
    if (operations.length > operationsMax) break;
  }
  const cutShort = operations.length > operationsMax;
  return { texts, operations, cutShort };
}

/** Keys and values have a char per byte; a person reads UTF-8. */
function readable(text: string): string {
  return isUtf8(bytesFromBinary(text)) ? textFromBinary(text) : text;
}

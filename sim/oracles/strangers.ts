/** Strangers: do two nodes show each other's sessions, and for long enough that what follows from them is done? */
import { sessionTable } from "../../src/router/session-record.ts";
import type { TraceEvent } from "../trace.ts";
import type { Process, Replicas } from "./replicas.ts";

export class Strangers {
  readonly #replicas: Replicas;
  /** `reader owner`: since when that node shows those sessions. */
  readonly #shownAt = new Map<string, number>();

  constructor(replicas: Replicas) {
    this.#replicas = replicas;
  }

  /** Wants `table-seen`. */
  see({ kind, place, at, data }: TraceEvent): void {
    if (kind !== "table-seen" || !data.fresh || data.table !== sessionTable.name) return;
    this.#shownAt.set(`${place} ${data.owner}`, at);
  }

  /** Two running nodes of which one does not show the other's sessions, or has not since this moment. */
  are(one: string | undefined, other: string | undefined, since: number): boolean {
    const { running } = this.#replicas;
    const [mine, theirs] = [running.get(one ?? ""), running.get(other ?? "")];
    if (mine === theirs || mine === undefined || theirs === undefined) return false;
    return !this.#knows(mine, theirs, since) || !this.#knows(theirs, mine, since);
  }

  #knows(reader: Process, { peer }: Process, since: number): boolean {
    if (this.#replicas.view(reader, sessionTable.name, peer) === undefined) return false;
    return (this.#shownAt.get(`${reader.node} ${peer}`) ?? 0) <= since;
  }
}

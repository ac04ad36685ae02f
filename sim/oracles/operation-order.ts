/**
 * Operation order: do readers only ever go forward in an owner's history, never past its end, and do messages
 * not come before what their senders' nodes had told of them?
 *
 * Promise 5 of the replicated tables. That no operation is left out is what `atomic-sync` sees.
 *
 * Who sends a presence and then a message has its priority known where the message is read. That is judged of
 * messages that went the straight way: to a full JID that no other node ever had, not handed back, and by a link
 * that never had too much to tell. What its reader's node shows is looked at when its step is over.
 */
import { binaryFromText } from "../../src/base/bytes.ts";
import { decodeSession, sessionTable } from "../../src/router/session-record.ts";
import { bareOf, userOf } from "../addresses.ts";
import { type Login } from "./logins.ts";
import type { Gathered, Oracle, Verdict } from "./oracle.ts";
import type { TraceEvent, TraceKind } from "../trace.ts";
import type { Plan } from "../plan.ts";

interface Sent {
  readonly login: string;
  readonly to: string;
  readonly at: number;
  /** How many presences its login had sent before. */
  readonly presences: number;
}

class OperationOrder implements Oracle {
  readonly name = "operation-order";
  readonly counts = "views and messages";
  readonly sees: readonly TraceKind[];
  readonly #gathered: Gathered;
  readonly #failures: string[] = [];
  readonly #sent = new Map<string, Sent>();
  /** Of each login, the priorities that it has announced, -1 for none. */
  readonly #presences = new Map<string, number[]>();
  /** Nodes that could not tell a peer all of their tables, and when they last said so. */
  readonly #fullAt = new Map<string, number>();
  /** Written in this step of a node. */
  #fresh: { readonly id: string; readonly node: string; readonly at: number }[] = [];
  #judged = 0;

  constructor(gathered: Gathered) {
    this.sees = [
      ...gathered.replicas.sees,
      ...gathered.logins.sees,
      ...gathered.written.sees,
      "presence-sent",
      "message-sent",
      "peer-down",
      "logged",
    ];
    this.#gathered = gathered;
  }

  see(event: TraceEvent): void {
    const { replicas, logins, written } = this.#gathered;
    const { kind, data, at, place } = event;
    if (this.#fresh.length > 0 && this.#fresh[0]?.at !== at) this.#stepIsOver();
    replicas.see(event);
    logins.see(event);
    for (const id of written.see(event)) this.#fresh.push({ id, node: place, at });
    switch (kind) {
      case "presence-sent": {
        const all = this.#presences.get(data.login) ?? [];
        this.#presences.set(data.login, all);
        all.push(data.available ? data.priority : -1);
        return;
      }
      case "message-sent": {
        const presences = this.#presences.get(data.login)?.length ?? 0;
        this.#sent.set(data.id, { login: data.login, to: data.to, at, presences });
        return;
      }
      case "peer-down":
        for (const id of data.handedBack ?? []) this.#sent.delete(id);
        return;
      case "logged":
        if (data.event === "queue-full") this.#fullAt.set(place, at);
        return;
      case "table-seen":
        return this.#seen(event);
      default:
    }
  }

  judge(): Verdict {
    return { judged: this.#judged, unknown: 0, failures: this.#failures };
  }

  #seen({ at, place, data }: Extract<TraceEvent, { kind: "table-seen" }>): void {
    const { replicas } = this.#gathered;
    const { table, owner, seq } = data;
    if (!replicas.running.has(place)) return;
    this.#judged += 1;
    const where = `${place} shows ${table} of ${owner} at seq ${seq}`;
    const before = replicas.shownBefore;
    const last = replicas.history(owner, table)?.seq ?? 0;
    if (seq < before) this.#failures.push(`${where} at ${at} ms, and was at ${before} before`);
    if (seq > last) this.#failures.push(`${where} at ${at} ms, its owner is at ${last}`);
  }

  #stepIsOver(): void {
    for (const { id, node, at } of this.#fresh) {
      const sent = this.#sent.get(id);
      const sender = this.#gathered.logins.get(sent?.login ?? "");
      if (sent === undefined || sender === undefined || !this.#wentStraight(sent, sender, node)) {
        continue;
      }
      const known = this.#priorityKnown(sender, node);
      if (known === undefined) continue;
      this.#judged += 1;
      const announced = this.#presences.get(sent.login) ?? [];
      if (announced.slice(Math.max(0, sent.presences - 1)).includes(known)) continue;
      this.#failures.push(
        `${node} gave ${id} to ${sent.to} at ${at} ms and knew ${sender.jid} at priority ${known}, which was before it`,
      );
    }
    this.#fresh = [];
  }

  /** -1 for none; undefined: it shows no session of this name. */
  #priorityKnown({ node: home, jid }: Login, node: string): number | undefined {
    const { replicas } = this.#gathered;
    const reader = replicas.running.get(node);
    const owner = replicas.running.get(home)?.peer ?? "";
    const view = reader && replicas.view(reader, sessionTable.name, owner);
    const value = view?.records.get(binaryFromText(jid));
    const record = value === undefined ? undefined : decodeSession(value);
    return record && (record.available ? record.priority : -1);
  }

  #wentStraight({ to, at, presences }: Sent, sender: Login, node: string): boolean {
    const { logins } = this.#gathered;
    if (presences === 0 || sender.node === node || !to.includes("/")) return false;
    // The table's queue fills for a while longer than it says so.
    if ((this.#fullAt.get(sender.node) ?? -Infinity) >= at - staleMs) return false;
    const users = [...logins.ofUser(bareOf(to)), ...logins.unboundOf(userOf(to))];
    if (users.some((login) => login.node !== node)) return false;
    const same = [...logins.ofUser(bareOf(sender.jid)), ...logins.unboundOf(sender.user)];
    return same.every(
      (login) => login === sender || (login.startedAt < sender.startedAt && login.jid !== ""),
    );
  }
}

/** A reader that fell behind has long caught up. */
const staleMs = 30_000;

export function operationOrder(_plan: Plan, gathered: Gathered): Oracle {
  return new OperationOrder(gathered);
}

/**
 * Removed: does who has no account any more stay online with another device? (XEP-0077 §3.2)
 *
 * Its sessions end that the node with the removal knew of, also where the account had gone before. It tells their
 * nodes once: whom a lost link or the end of that node kept from hearing of it, is not judged.
 */
import { binaryFromText } from "../../src/base/bytes.ts";
import { sessionTable } from "../../src/router/session-record.ts";
import type { TraceEvent, TraceKind } from "../trace.ts";
import type { Login } from "./logins.ts";
import { LostLinks } from "./lost-links.ts";
import type { Gathered } from "./oracle.ts";

/** Who does not read is closed only when it is given up. */
const graceMs = 25_000;

interface Due {
  readonly login: Login;
  readonly by: Login;
  readonly at: number;
}

export class Removed {
  readonly sees: readonly TraceKind[];
  readonly #gathered: Gathered;
  /** By who asks: the others of its user, as its node knew them when it asked. */
  readonly #others = new Map<string, readonly Login[]>();
  readonly #due: Due[] = [];
  readonly #lostLinks: LostLinks;
  #now = 0;

  constructor(gathered: Gathered) {
    this.#gathered = gathered;
    this.#lostLinks = new LostLinks(gathered.replicas);
    this.sees = [
      ...gathered.logins.sees,
      ...gathered.replicas.sees,
      ...this.#lostLinks.sees,
      ...(["account-change-sent", "account-change-answered"] as const),
    ];
  }

  see(event: TraceEvent): void {
    const { logins, replicas } = this.#gathered;
    logins.see(event);
    replicas.see(event);
    this.#lostLinks.see(event);
    const { kind, data, at } = event;
    this.#now = at;
    if (kind !== "account-change-sent" && kind !== "account-change-answered") return;
    const by = logins.get(data.login);
    if (by === undefined || data.password !== undefined) return;
    if (kind === "account-change-sent") {
      const others = logins.asUser(data.user).filter((login) => login !== by);
      const known = others.filter((login) => this.#knows(by.node, login));
      this.#others.set(data.login, known);
    } else if (data.outcome === "result" || data.outcome === "registration-required") {
      for (const login of this.#others.get(data.login) ?? []) this.#due.push({ login, by, at });
    }
  }

  /** Is it there, and was this node shown it? */
  #knows(node: string, { jid, nodeClosedAt, endedAt }: Login): boolean {
    const { replicas } = this.#gathered;
    const self = replicas.running.get(node);
    if (self === undefined || jid === "" || nodeClosedAt !== undefined || endedAt !== undefined) {
      return false;
    }
    const key = binaryFromText(jid);
    if (replicas.history(self.peer, sessionTable.name)?.records.has(key) === true) return true;
    const views = [...replicas.viewsOf(self, sessionTable.name)];
    return views.some(({ records }) => records.has(key));
  }

  judge(): { judged: number; unknown: number; failures: readonly string[] } {
    const old = this.#due.filter(({ at }) => at + graceMs <= this.#now);
    const told = old.filter((due) => !this.#wasKeptFromIt(due));
    const failures = told
      .filter(({ login }) => login.nodeClosedAt === undefined)
      .map(({ login, at }) => `${login.login} is still online, without an account since ${at} ms`);
    return { judged: told.length, unknown: this.#due.length - told.length, failures };
  }

  #wasKeptFromIt({ login, by, at }: Due): boolean {
    const until = at + graceMs;
    const since = login.boundAt ?? 0;
    const parted = this.#lostLinks.between(by.node, login.node, since, until);
    return parted || this.#gathered.logins.nodeEnded(by.node, since, until);
  }
}

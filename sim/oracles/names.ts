/**
 * Names: does a client get the address of its account, with the resource that it asks for, and where that is
 * taken, what the plan says?
 *
 * It gets another one, or none, only where some session may have had the name, as far as a node can know: one
 * that has ended on another node is known for a while.
 */
import { clientOf } from "../kit/network.ts";
import { addressOf, userOf } from "../addresses.ts";
import type { Plan } from "../plan.ts";
import type { TraceEvent } from "../trace.ts";
import type { Login, Logins } from "./logins.ts";

export class Names {
  readonly #logins: Logins;
  readonly #conflict: Plan["limits"]["conflict"];
  /** What each client asks for; "" where the server chooses. Not of registrars: they ask for other ones, too. */
  readonly #wanted: ReadonlyMap<string, string>;
  readonly #staleMs: number;
  /** Whose last login met the limit of sessions per user, or a name that is taken: it may go on trying for ever. */
  readonly keptOut = new Set<string>();

  constructor({ clients, limits }: Plan, logins: Logins, staleMs: number) {
    this.#logins = logins;
    this.#conflict = limits.conflict;
    const steady = clients.filter(({ behaviour }) => behaviour.kind !== "registrar");
    this.#wanted = new Map(steady.map(({ name, resource }) => [name, resource]));
    this.#staleMs = staleMs;
  }

  /** Asked after `logins` have seen the event; says what was wrong. */
  see({ kind, data, at }: TraceEvent): readonly string[] {
    if (kind === "login-bound") {
      const { login, jid } = data;
      this.keptOut.delete(clientOf(login));
      const user = this.#logins.get(login)?.user;
      if (userOf(jid) !== user) return [`${login} logged in as ${user}, and became ${jid}`];
      const wanted = this.#wanted.get(clientOf(login)) ?? "";
      if (wanted === "" || jid.endsWith(`/${wanted}`)) return [];
      if (this.#conflict === "make_new_resource" && this.#mayBeTaken(login, wanted)) return [];
      return [`${login} asked for "${wanted}", and became ${jid} at ${at} ms`];
    }
    if (kind !== "bind-refused") return [];
    this.keptOut.add(clientOf(data.login));
    if (data.condition !== "conflict") return [];
    const wanted = this.#wanted.get(clientOf(data.login));
    if (wanted === undefined) return [];
    if (this.#conflict === "refuse_new" && this.#mayBeTaken(data.login, wanted)) return [];
    return [`${data.login} was refused for a name that nobody has (${at} ms)`];
  }

  #mayBeTaken(name: string, resource: string): boolean {
    const self = this.#logins.get(name);
    if (self === undefined || resource === "") return false;
    const jid = addressOf(self.user, resource);
    const since = self.startedAt - this.#staleMs;
    const mayHave = (other: Login): boolean => {
      // The node binds before its client is told.
      const asks = other.jid === "" && this.#wanted.get(other.client) === resource;
      if (other === self || !(asks || other.jid === jid)) return false;
      return other.openedAt !== undefined && (other.nodeClosedAt ?? Infinity) >= since;
    };
    return this.#logins.asUser(self.user).some(mayHave);
  }
}

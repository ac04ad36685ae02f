/**
 * Accounts: does the database hold what clients were told, and does nobody get in without a password?
 *
 * Nor may anybody guess more often than a stream allows, or be thrown out sooner (RFC 6120 §6.4.5).
 *
 * A registration answered by an error may have been committed all the same (the connection died between
 * commit and answer): unknown, and fine either way.
 */
import { accountsOf, type Plan } from "../plan.ts";
import { clientOf } from "../kit/network.ts";
import type { OracleMaker } from "./oracle.ts";

export const accounts: OracleMaker = (plan: Plan) => {
  const impostors = new Set(
    plan.clients.filter((c) => c.behaviour.kind === "impostor").map((client) => client.name),
  );
  const promised = new Map<string, string>(accountsOf(plan).map((user) => [user, "the plan"]));
  const asked = new Set<string>(accountsOf(plan));
  const refused = new Set<string>();
  const authenticated = new Map<string, string>();
  const failures: string[] = [];
  const guesses = new Guesses(plan.limits.maxAuthAttempts, failures);
  let observed: ReadonlySet<string> | undefined;
  let attempts = 0;

  return {
    name: "accounts",
    counts: "accounts and logins",
    sees: [
      "registration-sent",
      "registration-answered",
      "login-authenticated",
      "login-refused",
      "stream-error-received",
      "accounts-observed",
    ],
    see({ kind, data, at }) {
      if (kind === "registration-sent") asked.add(data.user);
      if (kind === "registration-answered") {
        if (data.outcome === "result") promised.set(data.user, data.login);
        else refused.add(data.user);
      }
      if (kind === "login-authenticated") {
        attempts += 1;
        authenticated.set(data.user, data.login);
        if (impostors.has(clientOf(data.login))) {
          failures.push(
            `${data.login} got in as ${data.user} at ${at} ms, with a wrong password or a lie`,
          );
        }
      }
      if (kind === "login-refused") {
        attempts += 1;
        guesses.refused(data.login, at);
        // Told by the client, which then leaves: `<success/>` came, but no proof that the server has the keys.
        if (data.condition === "server not authentic") {
          failures.push(`${data.login} was let in at ${at} ms by a server that proves nothing`);
        }
        if (data.condition === "not-authorized" && !impostors.has(clientOf(data.login))) {
          failures.push(`${data.login} was refused at ${at} ms though its password is right`);
        }
      }
      if (kind === "stream-error-received" && data.condition === "policy-violation") {
        guesses.thrownOut(data.login, at);
      }
      if (kind === "accounts-observed") observed = new Set(data.users);
    },
    judge() {
      if (observed === undefined) return { judged: attempts, unknown: 0, failures };
      for (const [user, witness] of [...promised, ...authenticated]) {
        if (!observed.has(user))
          failures.push(`${witness} was told that ${user} exists; it does not`);
      }
      for (const user of observed) {
        if (!asked.has(user)) failures.push(`the database has ${user}, whom nobody registered`);
      }
      const unknown = [...refused].filter((user) => !promised.has(user)).length;
      return { judged: promised.size + attempts, unknown, failures };
    },
  };
};

/** How often was each login refused? */
class Guesses {
  readonly #max: number;
  readonly #failures: string[];
  readonly #counts = new Map<string, number>();

  constructor(max: number, failures: string[]) {
    this.#max = max;
    this.#failures = failures;
  }

  refused(login: string, at: number): void {
    const count = (this.#counts.get(login) ?? 0) + 1;
    this.#counts.set(login, count);
    if (count !== this.#max + 1) return;
    this.#failures.push(`${login} may guess on at ${at} ms, after ${count} guesses`);
  }

  thrownOut(login: string, at: number): void {
    const count = this.#counts.get(login);
    if (count === undefined || count >= this.#max) return;
    this.#failures.push(`${login} may guess no more at ${at} ms, after ${count} guesses`);
  }
}

/**
 * Accounts: does the database hold what clients were told, and does nobody get in without a password?
 *
 * Nor may anybody guess more often than a stream allows, or be thrown out sooner (RFC 6120 §6.4.5), or be put off
 * for what is forgotten (`put-off.ts`), or stay online without an account (`removed.ts`).
 */
import type { Plan } from "../plan.ts";
import { clientOf } from "../kit/network.ts";
import { KnownAccounts, type Offer } from "./known-accounts.ts";
import type { OracleMaker } from "./oracle.ts";
import { PutOff } from "./put-off.ts";
import { Removed } from "./removed.ts";

const nothing = { judged: 0, unknown: 0 };

export const accounts: OracleMaker = (plan: Plan, gathered) => {
  const impostors = impostorsOf(plan);
  const failures: string[] = [];
  const known = new KnownAccounts(plan, failures);
  const guesses = new Guesses(plan.limits.maxAuthAttempts, failures);
  const offered = new Map<string, Offer>();
  const putOff = new PutOff(plan);
  const removed = new Removed(gathered);
  let observed: ReadonlySet<string> | undefined;
  let [judged, unknown] = [0, 0];

  /** Is it right that this login was let in, or refused? */
  function decided(login: string, letIn: boolean, at: number): void {
    const offer = offered.get(login) ?? { user: "", begun: at };
    const right = impostors.has(clientOf(login)) ? false : known.isRight(login, offer);
    if (right === undefined) {
      unknown += 1;
      return;
    }
    judged += 1;
    if (right === letIn) return;
    failures.push(
      letIn
        ? `${login} got in as ${offer.user} at ${at} ms, with a wrong password or a lie`
        : `${login} was refused at ${at} ms though its password is right`,
    );
  }

  return {
    name: "accounts",
    counts: "accounts and logins",
    sees: [
      "login-started",
      "login-authenticated",
      "login-refused",
      "stream-error-received",
      "accounts-observed",
      ...known.sees,
      ...putOff.sees,
      ...removed.sees,
    ],
    see(event) {
      known.see(event);
      removed.see(event);
      const wrong = putOff.see(event);
      if (wrong !== undefined) failures.push(wrong);
      const { kind, data, at } = event;
      if (kind === "login-started") offered.set(data.login, { ...data, begun: at });
      if (kind === "login-authenticated") decided(data.login, true, at);
      if (kind === "login-refused") {
        guesses.refused(data.login, at);
        if (data.condition === "not-authorized") decided(data.login, false, at);
        else judged += 1;
        // Told by the client, which then leaves: `<success/>` came, but no proof that the server has the keys.
        if (data.condition === "server not authentic") {
          failures.push(`${data.login} was let in at ${at} ms by a server that proves nothing`);
        }
      }
      if (kind === "stream-error-received" && data.condition === "policy-violation") {
        guesses.thrownOut(data.login, at);
      }
      if (kind === "accounts-observed") observed = new Set(data.users);
    },
    judge() {
      const gone = removed.judge();
      const found = observed === undefined ? nothing : known.compare(observed);
      return {
        judged: judged + putOff.judged + gone.judged + found.judged,
        unknown: unknown + gone.unknown + found.unknown,
        failures: [...failures, ...gone.failures],
      };
    },
  };
};

function impostorsOf({ clients }: Plan): ReadonlySet<string> {
  const impostors = clients.filter(({ behaviour }) => behaviour.kind === "impostor");
  return new Set(impostors.map(({ name }) => name));
}

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

/**
 * Known accounts: which accounts are there, and by which password, as far as their owners were told?
 *
 * A change that was answered by an error, or not at all, may have been committed all the same (the connection
 * died between commit and answer), or may be yet: it is unknown ever after. Whoever makes an account is the
 * only one to change it, one change at a time, but for an operator who deletes it meanwhile.
 */
import { accountsOf, passwordOf, type Plan } from "../plan.ts";
import type { TraceEvent, TraceKind } from "../trace.ts";

interface Account {
  /** Undefined: unknown. */
  readonly exists: boolean | undefined;
  /** Of one that exists; undefined: unknown. */
  readonly password: string | undefined;
  /** Who was told so. */
  readonly witness: string;
}

/** When a login began, and what it offers where that is not its account's first password. */
export interface Offer {
  readonly user: string;
  readonly password?: string;
  readonly begun: number;
}

/** What an owner is told who has no account. */
const missing: ReadonlySet<string> = new Set(["registration-required", "unexpected-request"]);

export class KnownAccounts {
  readonly sees: readonly TraceKind[] = [
    "registration-sent",
    "registration-answered",
    "account-change-sent",
    "account-change-answered",
    "account-deleted",
  ];
  readonly #failures: string[];
  readonly #accounts: Map<string, Account>;
  /** By user: what was known of it before the change that is under way. */
  readonly #before = new Map<string, Account | undefined>();

  /** By user: when anything was last asked, told or done about its account, and by which login. */
  readonly #touched = new Map<string, { readonly at: number; readonly by: string | undefined }>();

  constructor(plan: Plan, failures: string[]) {
    this.#failures = failures;
    this.#accounts = new Map(
      accountsOf(plan).map((user) => [user, exists("the plan", passwordOf(user))]),
    );
  }

  see(event: TraceEvent): void {
    const { kind, data, at } = event;
    if ("user" in data && this.sees.includes(kind)) {
      this.#touched.set(data.user, { at, by: "login" in data ? data.login : undefined });
    }
    switch (kind) {
      case "registration-sent":
        return this.#asked(data.user, { exists: undefined });
      case "registration-answered": {
        const before = this.#before.get(data.user);
        if (data.outcome === "result") {
          this.#accounts.set(data.user, exists(data.login, passwordOf(data.user)));
        } else if (
          data.outcome === "conflict" &&
          (before === undefined || before.exists === false)
        ) {
          this.#failures.push(`${data.login} cannot have ${data.user} at ${at} ms: nobody has it`);
        }
        return;
      }
      case "account-change-sent": {
        const removal = data.password === undefined;
        return this.#asked(data.user, removal ? { exists: undefined } : { password: undefined });
      }
      case "account-change-answered": {
        const { user, login, password, outcome } = data;
        if (outcome === "result") {
          const gone = { exists: false, password: undefined, witness: login };
          this.#accounts.set(user, password === undefined ? gone : exists(login, password));
        } else if (missing.has(outcome)) {
          const before = this.#before.get(user);
          if (before?.exists === false) this.#accounts.set(user, before);
          if (before?.exists !== true) return;
          this.#failures.push(`${login} was told at ${at} ms that there is no ${user}`);
        }
        return;
      }
      case "account-deleted": {
        const gone = { exists: false, password: undefined, witness: "an operator" };
        return void this.#accounts.set(data.user, gone);
      }
      default:
    }
  }

  /**
   * Does this password let this user in? Missing: the one that the account was made with. Undefined: nobody knows,
   * or somebody else has changed it since the login began, which may have been let in before that.
   */
  isRight(login: string, { user, password = passwordOf(user), begun }: Offer): boolean | undefined {
    const { at, by } = this.#touched.get(user) ?? { at: -1, by: login };
    if (at > begun && by !== login) return undefined;
    const account = this.#accounts.get(user);
    if (account === undefined || account.exists === false) return false;
    if (account.exists === undefined || account.password === undefined) return undefined;
    return account.password === password;
  }

  /** With what the database has in the end. */
  compare(observed: ReadonlySet<string>): { judged: number; unknown: number } {
    let [judged, unknown] = [0, 0];
    for (const [user, account] of this.#accounts) {
      if (account.exists === undefined) {
        unknown += 1;
        continue;
      }
      judged += 1;
      if (account.exists === observed.has(user)) continue;
      this.#failures.push(
        account.exists
          ? `${account.witness} was told that ${user} exists; it does not`
          : `${account.witness} was told that ${user} is gone; it is not`,
      );
    }
    for (const user of observed) {
      if (!this.#accounts.has(user)) {
        this.#failures.push(`the database has ${user}, whom nobody registered`);
      }
    }
    return { judged, unknown };
  }

  /** Until it is answered nobody knows whether it holds. */
  #asked(user: string, open: Partial<Account>): void {
    const before = this.#accounts.get(user);
    this.#before.set(user, before);
    this.#accounts.set(user, {
      ...(before ?? { exists: false, password: undefined, witness: "" }),
      ...open,
    });
  }
}

function exists(witness: string, password: string): Account {
  return { exists: true, password, witness };
}

/** What the oracle `accounts` makes of owners who change their accounts, and of answers that were lost. */
import { expect, test } from "vitest";
import { makeOracles } from "../../sim/oracles/index.ts";
import type { Oracle, Verdict } from "../../sim/oracles/oracle.ts";
import { passwordOf, type Plan } from "../../sim/plan.ts";
import { planFromSeed } from "../../sim/plan-from-seed.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../../sim/trace.ts";

const drawn = planFromSeed(1);
const owner = { ...drawn.clients[0], name: "r", user: "r" } as Plan["clients"][number];
const plan: Plan = {
  ...drawn,
  clients: [{ ...owner, behaviour: { kind: "registrar", everyMs: [1, 1] } }],
};
const user = "new";
const login = "r#1";
const lost = "no answer";

/** What an owner does with one account, each time to this outcome. */
class Owner {
  readonly #oracles: readonly Oracle[] = makeOracles(plan);
  #at = 0;
  #logins = 1;

  registers(outcome = "result"): this {
    this.#then("registration-sent", { login, user });
    return outcome === lost ? this : this.#then("registration-answered", { login, user, outcome });
  }

  /** Without a password: is removed. */
  changes(password?: string, outcome = "result"): this {
    const change = { login, user, ...(password === undefined ? {} : { password }) };
    this.#then("account-change-sent", change);
    return outcome === lost ? this : this.#then("account-change-answered", { ...change, outcome });
  }

  /** Without a password: with the first. Something else may be done meanwhile. */
  logsIn(
    password: string | undefined,
    outcome: "let in" | "not-authorized",
    meanwhile?: (owner: this) => void,
  ): this {
    this.#logins += 1;
    const next = `r#${this.#logins}`;
    const offered = password === undefined ? {} : { password };
    this.#then("login-started", { login: next, user, node: "n1", ...offered });
    meanwhile?.(this);
    if (outcome === "let in") return this.#then("login-authenticated", { login: next, user });
    return this.#then("login-refused", { login: next, condition: outcome });
  }

  /** By an operator, in the database. */
  isDeleted(): this {
    return this.#then("account-deleted", { user });
  }

  isToldOf(condition: string): this {
    return this.#then("stream-error-received", { login, condition });
  }

  /** Was the account there in the end? */
  verdict(there: boolean, name = "accounts"): Verdict {
    const users = there ? [user] : [];
    this.#then("accounts-observed", { users });
    const oracle = this.#oracles.find((each) => each.name === name);
    if (oracle === undefined) throw new Error(`no oracle ${name}`);
    return oracle.judge();
  }

  #then<K extends TraceKind>(kind: K, data: TraceKinds[K]): this {
    this.#at += 1;
    const event = { at: this.#at, place: login, kind, data } as unknown as TraceEvent;
    for (const oracle of this.#oracles) oracle.see(event);
    return this;
  }
}

const registered = (): Owner => new Owner().registers();
const failures = (told: Owner, there = true): readonly string[] => told.verdict(there).failures;

test("accounts: a new password lets its owner in, the old one no longer", () => {
  const changed = (): Owner => registered().changes("b");
  expect(changed().logsIn(undefined, "not-authorized").logsIn("b", "let in").verdict(true)).toEqual(
    { judged: 3, unknown: 0, failures: [] },
  );
  expect(failures(changed().logsIn(undefined, "let in"))).toHaveLength(1);
  expect(failures(changed().logsIn("b", "not-authorized"))).toHaveLength(1);
  expect(failures(changed().changes("c").logsIn("b", "let in"))).toHaveLength(1);
  expect(failures(registered().logsIn("b", "let in"))).toHaveLength(1);
  expect(failures(registered().logsIn(undefined, "not-authorized"))).toHaveLength(1);
});

test("accounts: where the answer to a change was lost either password may hold, but the account is there", () => {
  for (const outcome of [lost, "resource-constraint"]) {
    for (const password of [undefined, "b"]) {
      for (const what of ["let in", "not-authorized"] as const) {
        const told = registered().changes("b", outcome).logsIn(password, what);
        expect(told.verdict(true)).toEqual({ judged: 1, unknown: 1, failures: [] });
      }
    }
    expect(failures(registered().changes("b", outcome), false)).toHaveLength(1);
  }
});

test("accounts: who was removed does not get in, is not there, and may be registered again", () => {
  const removed = (): Owner => registered().changes();
  expect(failures(removed().logsIn(undefined, "not-authorized"), false)).toEqual([]);
  expect(failures(removed(), true)).toHaveLength(1);
  expect(failures(removed().logsIn(undefined, "let in"), false)).toHaveLength(1);
  expect(failures(removed().registers("conflict"), false)).toHaveLength(1);
  expect(failures(removed().registers().logsIn(undefined, "let in"))).toEqual([]);
  expect(failures(removed().registers(), false)).toHaveLength(1);
  const changed = registered().changes("b").changes().registers();
  expect(failures(changed.logsIn("b", "let in"))).toHaveLength(1);
});

test("accounts: who is being let in while another login removes the account may have been in time", () => {
  for (const what of ["let in", "not-authorized"] as const) {
    const told = registered().logsIn(undefined, what, (owner) => owner.changes());
    expect(told.verdict(false)).toEqual({ judged: 1, unknown: 1, failures: [] });
  }
});

test("accounts: where the answer to a removal was lost all may be, and the name may be taken", () => {
  for (const outcome of [lost, "resource-constraint"]) {
    const open = (): Owner => registered().changes(undefined, outcome);
    expect(open().verdict(true)).toEqual({ judged: 0, unknown: 1, failures: [] });
    expect(failures(open(), false)).toEqual([]);
    expect(failures(open().logsIn(undefined, "let in"))).toEqual([]);
    expect(failures(open().logsIn(undefined, "not-authorized"))).toEqual([]);
    expect(failures(open().registers("conflict"))).toEqual([]);
  }
});

test("accounts: an owner is not told that it has no account", () => {
  expect(failures(registered().changes("b", "unexpected-request"))).toHaveLength(1);
  expect(failures(registered().changes(undefined, "registration-required"))).toHaveLength(1);
  const open = registered().changes(undefined, lost);
  expect(failures(open.changes("b", "unexpected-request"))).toEqual([]);
});

test("accounts: whose account an operator deletes has none, whatever it asks for then", () => {
  const deleted = (): Owner => registered().isDeleted();
  expect(failures(deleted(), false)).toEqual([]);
  expect(failures(deleted(), true)).toHaveLength(1);
  expect(failures(deleted().logsIn(undefined, "let in"), false)).toHaveLength(1);
  const told = (): Owner => deleted().changes(undefined, "registration-required");
  expect(told().verdict(false)).toEqual({ judged: 1, unknown: 0, failures: [] });
  expect(failures(told(), true)).toHaveLength(1);
  expect(failures(told().registers().logsIn(undefined, "let in"))).toEqual([]);
});

test("accounts: a registration without an answer is unknown, a name that nobody has is free", () => {
  expect(new Owner().registers(lost).verdict(true).unknown).toBe(1);
  expect(failures(new Owner().registers("conflict"), false)).toHaveLength(1);
  expect(failures(new Owner().logsIn(passwordOf(user), "let in"), false)).toHaveLength(1);
});

test("courtesy: who asked that its account be removed is told that it may not go on, nobody else", () => {
  const blamed = (told: Owner): readonly string[] =>
    told.isToldOf("not-authorized").verdict(false, "courtesy").failures;
  expect(blamed(registered().changes())).toEqual([]);
  expect(blamed(registered().changes("b"))).toHaveLength(1);
});

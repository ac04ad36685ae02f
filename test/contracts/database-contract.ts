/**
 * Contract of the database port: what storage may rely on, whichever engine executes it.
 *
 * Run over pg-mem (`database.test.ts`) and over PostgreSQL (`test/process/`).
 */
import { expect, test } from "vitest";
import type { DatabaseInput, Query, Statement } from "../../src/ports/database.ts";
import { query, QueryFailed, type Work, type WorkAnswer } from "../../src/ports/work.ts";
import {
  accountExists,
  accountStatements,
  changePassword,
  countIterations,
  insertAccount,
  insertKeys,
  listAccounts,
  lookupKeys,
  registerAccount,
  registration,
  removeAccount,
  selectAccount,
  type KeysByHash,
} from "../../src/storage/accounts.ts";

export interface Subject {
  ask(queries: readonly Query[]): Promise<DatabaseInput>;
}

function keysOf(byte: number): KeysByHash {
  const keys = {
    salt: Uint8Array.of(byte, 0, 255),
    iterations: 4_096 + byte,
    storedKey: Uint8Array.of(byte, 1),
    serverKey: Uint8Array.of(byte, 2),
  };
  return { "sha-1": keys, "sha-256": keys, "sha-512": { ...keys, iterations: 10_000 } };
}

const everyByte = Uint8Array.from({ length: 256 }, (_, at) => at);

const awkward = [
  "a\\ b",
  "back\\slash",
  'double " quote',
  "single ' quote",
  "a;b--c",
  "$1 %s {}",
  "\u{1f9a6}\u{20000}",
  "ünï",
  "line\nfeed\ttab",
  " lead and trail ",
];

export function databaseContract(name: string, subject: () => Subject): void {
  /** Each test has a host of its own, so that none sees another's rows. */
  let hosts = 0;
  const freshHost = (): string => `host-${(hosts += 1)}.example`;

  async function run<T>(work: Work<T>): Promise<T> {
    let step = work.next();
    while (step.done !== true) {
      if (step.value.type !== "query") throw new TypeError(step.value.type);
      const input = await subject().ask(step.value.queries);
      const answer: WorkAnswer =
        input.type === "query-answered"
          ? { type: "rows", results: input.results }
          : { type: "failed", failure: input.failure, detail: input.detail };
      step = work.next(answer);
    }
    return step.value;
  }

  test(`${name}: an account is created once, and a second time it exists`, async () => {
    const host = freshHost();
    expect(await run(accountExists(host, "ann"))).toBe(false);
    expect(await run(registerAccount(host, "ann", keysOf(1)))).toBe("created");
    expect(await run(accountExists(host, "ann"))).toBe(true);
    expect(await run(registerAccount(host, "ann", keysOf(2)))).toBe("exists");
    expect(await run(lookupKeys(host, "ann", "sha-256"))).toMatchObject({ iterations: 4_097 });
    expect(await run(accountExists("other.example", "ann"))).toBe(false);
  });

  test(`${name}: keys come back as they went in, each hash its own`, async () => {
    const host = freshHost();
    const keys = { ...keysOf(7)["sha-1"], salt: everyByte, storedKey: new Uint8Array(0) };
    await run(registerAccount(host, "ann", { ...keysOf(7), "sha-1": keys }));
    const found = await run(lookupKeys(host, "ann", "sha-1"));
    expect(found?.salt).toBeInstanceOf(Uint8Array);
    expect([...(found?.salt ?? [])]).toEqual([...everyByte]);
    expect(found?.storedKey.length).toBe(0);
    expect(found?.iterations).toBe(4_103);
    expect((await run(lookupKeys(host, "ann", "sha-512")))?.iterations).toBe(10_000);
    expect(await run(lookupKeys(host, "bob", "sha-1"))).toBeUndefined();
  });

  test(`${name}: a password is changed for all hashes, and only where there is an account`, async () => {
    const host = freshHost();
    expect(await run(changePassword(host, "ann", keysOf(3)))).toBe(false);
    expect(await run(lookupKeys(host, "ann", "sha-1"))).toBeUndefined();
    await run(registerAccount(host, "ann", keysOf(1)));
    expect(await run(changePassword(host, "ann", keysOf(9)))).toBe(true);
    for (const hash of ["sha-1", "sha-256", "sha-512"] as const) {
      expect([...((await run(lookupKeys(host, "ann", hash)))?.salt ?? [])]).toEqual([9, 0, 255]);
    }
  });

  test(`${name}: counts of iterations are counted by host and hash, of the first accounts by name`, async () => {
    const host = freshHost();
    expect(await run(countIterations(host, 10, 10))).toEqual([]);
    for (const [user, byte] of Object.entries({ ann: 1, bob: 2, cid: 1, dan: 3 })) {
      await run(registerAccount(host, user, keysOf(byte)));
    }
    await run(registerAccount(freshHost(), "ann", keysOf(5)));
    const all = await run(countIterations(host, 10, 10));
    expect(all).toHaveLength(7);
    expect(all).toContainEqual({ hash: "sha-1", iterations: 4_097, accounts: 2 });
    expect(all).toContainEqual({ hash: "sha-256", iterations: 4_099, accounts: 1 });
    expect(all).toContainEqual({ hash: "sha-512", iterations: 10_000, accounts: 4 });
    const most = { hash: "sha-512", iterations: 10_000, accounts: 3 };
    expect(await run(countIterations(host, 3, 1))).toEqual([most]);
  });

  test(`${name}: a removed account is gone with its keys and can be made anew`, async () => {
    const host = freshHost();
    await run(registerAccount(host, "ann", keysOf(1)));
    expect(await run(removeAccount(host, "ann"))).toBe(true);
    expect(await run(removeAccount(host, "ann"))).toBe(false);
    expect(await run(lookupKeys(host, "ann", "sha-1"))).toBeUndefined();
    expect(await run(registerAccount(host, "ann", keysOf(2)))).toBe("created");
  });

  test(`${name}: names of any text are found again, exactly`, async () => {
    const host = freshHost();
    for (const username of awkward) {
      expect(await run(registerAccount(host, username, keysOf(1)))).toBe("created");
    }
    for (const username of awkward) {
      expect(await run(accountExists(host, username)), username).toBe(true);
      const [found] = (await answered([query(selectAccount, [host, username])]))[0] ?? [];
      expect(found).toEqual({ username });
    }
    expect((await run(listAccounts(host, "", 100))).toSorted()).toEqual(awkward.toSorted());
  });

  test(`${name}: pages follow each other without gap or repetition, in one order`, async () => {
    const host = freshHost();
    const names = ["b", "a", "c10", "c1", "C", "z"];
    for (const username of names) await run(registerAccount(host, username, keysOf(1)));
    const listed: string[] = [];
    for (;;) {
      const page = await run(listAccounts(host, listed.at(-1) ?? "", 2));
      expect(page.length).toBeLessThanOrEqual(2);
      listed.push(...page);
      if (page.length < 2) break;
      expect(listed.length).toBeLessThanOrEqual(names.length);
    }
    expect(listed).toEqual(["C", "a", "b", "c1", "c10", "z"]);
  });

  test(`${name}: of a list whose second query fails, the first is undone`, async () => {
    const host = freshHost();
    await run(registerAccount(host, "ann", keysOf(1)));
    const failed = await subject().ask([
      query(insertAccount, [host, "bob"]),
      query(insertAccount, [host, "ann"]),
      query(insertAccount, [host, "cleo"]),
    ]);
    expect(failed).toMatchObject({ type: "query-failed", failure: "constraint" });
    expect(await run(listAccounts(host, "", 10))).toEqual(["ann"]);
  });

  test(`${name}: a failed list harms none of those that follow it at once`, async () => {
    const host = freshHost();
    await run(registerAccount(host, "ann", keysOf(1)));
    // Statements that this connection has not seen yet, behind a failure, then the same again.
    const again = [registration(host, "ann", keysOf(2)), registration(host, "bob", keysOf(2))];
    const outcomes = await Promise.all(
      [...again, registration(host, "cleo", keysOf(2))].map((queries) => subject().ask(queries)),
    );
    expect(outcomes.map(({ type }) => type)).toEqual([
      "query-failed",
      "query-answered",
      "query-answered",
    ]);
    expect(await run(listAccounts(host, "", 10))).toEqual(["ann", "bob", "cleo"]);
  });

  test(`${name}: the results of a list are in its order`, async () => {
    const host = freshHost();
    const results = await answered([
      query(insertAccount, [host, "ann"]),
      query(selectAccount, [host, "ann"]),
      query(selectAccount, [host, "bob"]),
    ]);
    expect(results).toEqual([[], [{ username: "ann" }], []]);
    expect(await answered([])).toEqual([]);
  });

  test(`${name}: what the server refuses for other reasons is rejected, and nothing happened`, async () => {
    const host = freshHost();
    const unknown: Statement = { name: "no_table", text: "SELECT * FROM no_such_table" };
    expect(
      await subject().ask([query(insertAccount, [host, "ann"]), query(unknown, [])]),
    ).toMatchObject({ type: "query-failed", failure: "rejected" });
    expect(await run(accountExists(host, "ann"))).toBe(false);
    // NOT NULL is our mistake, no race with another writer.
    const none = null as unknown as Uint8Array;
    const keys = query(insertKeys, [host, "ann", "sha-1", none, 1, none, none]);
    expect(await subject().ask([keys])).toMatchObject({ failure: "rejected" });
  });

  test(`${name}: registration passes on what it does not know the outcome of`, async () => {
    const work = registerAccount(freshHost(), "ann", keysOf(1));
    work.next();
    const lost: WorkAnswer = { type: "failed", failure: "unavailable", detail: "lost" };
    expect(() => work.next(lost)).toThrow(QueryFailed);
  });

  test(`${name}: statement names are unique, for they are prepared under them`, () => {
    const names = accountStatements.map(({ name: statement }) => statement);
    expect(new Set(names).size).toBe(names.length);
  });

  async function answered(queries: readonly Query[]) {
    const input = await subject().ask(queries);
    if (input.type === "query-failed") throw new Error(input.detail);
    return input.results;
  }
}

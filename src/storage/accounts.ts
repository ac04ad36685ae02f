/**
 * Accounts: who may log in, and the salted keys of their passwords (RFC 5802 §3).
 *
 * An account and its keys, one row for each hash, are written and removed in one atomic request: no
 * account exists without keys, no keys without an account. Names are prepared (`xmpp/jid.ts`) before they come here.
 */
import type { HashName } from "../ports/crypto.ts";
import type { Query, SqlRow, SqlValue, Statement } from "../ports/database.ts";
import { atomically, query, QueryFailed, rows, type Work } from "../ports/work.ts";

/** RFC 5802 §3; the same shape as `ScramKeys` of the SASL mechanisms. */
export interface StoredKeys {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export type KeysByHash = Readonly<Record<HashName, StoredKeys>>;

type KeyRow = SqlRow & {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly stored_key: Uint8Array;
  readonly server_key: Uint8Array;
};

/** The name comes first: a database that does not plan, as a simulated one, looks at little then. */
export const selectKeys: Statement<[string, string, string], KeyRow> = {
  name: "select_keys",
  text: `SELECT salt, iterations, stored_key, server_key FROM scram_keys
    WHERE username = $2 AND hash = $3 AND host = $1`,
};

export const selectAccount: Statement<[string, string], SqlRow & { username: string }> = {
  name: "select_account",
  text: "SELECT username FROM accounts WHERE username = $2 AND host = $1",
};

export const insertAccount: Statement<[string, string]> = {
  name: "insert_account",
  text: "INSERT INTO accounts (host, username) VALUES ($1, $2)",
};

export const insertKeys: Statement<
  [string, string, string, Uint8Array, number, Uint8Array, Uint8Array]
> = {
  name: "insert_keys",
  text: `INSERT INTO scram_keys (host, username, hash, salt, iterations, stored_key, server_key)
    VALUES ($1, $2, $3, $4, $5, $6, $7)`,
};

export const updateKeys: Statement<
  [string, string, string, Uint8Array, number, Uint8Array, Uint8Array],
  SqlRow & { username: string }
> = {
  name: "update_keys",
  text: `UPDATE scram_keys SET salt = $4, iterations = $5, stored_key = $6, server_key = $7
    WHERE host = $1 AND username = $2 AND hash = $3 RETURNING username`,
};

export const deleteKeys: Statement<[string, string]> = {
  name: "delete_keys",
  text: "DELETE FROM scram_keys WHERE host = $1 AND username = $2",
};

export const deleteAccount: Statement<[string, string], SqlRow & { username: string }> = {
  name: "delete_account",
  text: "DELETE FROM accounts WHERE host = $1 AND username = $2 RETURNING username",
};

export const selectAccounts: Statement<[string, string, number], SqlRow & { username: string }> = {
  name: "select_accounts",
  text: `SELECT username FROM accounts WHERE host = $1 AND username > $2
    ORDER BY username LIMIT $3`,
};

/**
 * How often each count of iterations occurs, of a host's first accounts by name: a name says nothing of
 * the count, the primary key is in that order, and so it costs the same whatever the table's size.
 */
export const selectIterations: Statement<
  [string, number, number],
  SqlRow & { hash: string; iterations: number; accounts: number }
> = {
  name: "select_iterations",
  text: `SELECT hash, iterations, CAST(count(*) AS integer) AS accounts FROM (
      SELECT hash, iterations FROM scram_keys WHERE host = $1 ORDER BY username, hash LIMIT $2
    ) AS sampled
    GROUP BY hash, iterations ORDER BY accounts DESC, hash, iterations LIMIT $3`,
};

/** All statements of this file, for whoever prepares or checks them. */
export const accountStatements: readonly Statement<readonly SqlValue[]>[] = [
  selectKeys,
  selectAccount,
  insertAccount,
  insertKeys,
  updateKeys,
  deleteKeys,
  deleteAccount,
  selectAccounts,
  selectIterations,
] as readonly { readonly name: string; readonly text: string }[];

export function* lookupKeys(
  host: string,
  username: string,
  hash: HashName,
): Work<StoredKeys | undefined> {
  const [row] = yield* rows(selectKeys, [host, username, hash]);
  if (row === undefined) return undefined;
  const { salt, iterations, stored_key: storedKey, server_key: serverKey } = row;
  return { salt, iterations, storedKey, serverKey };
}

export function* accountExists(host: string, username: string): Work<boolean> {
  return (yield* rows(selectAccount, [host, username])).length > 0;
}

/** What `registerAccount` asks for: one atomic request, for others to send many of together. */
export function registration(host: string, username: string, keys: KeysByHash): readonly Query[] {
  return [query(insertAccount, [host, username]), ...keyWrites(insertKeys, host, username, keys)];
}

/** Throws `QueryFailed` where the outcome is unknown. */
export function* registerAccount(
  host: string,
  username: string,
  keys: KeysByHash,
): Work<"created" | "exists"> {
  try {
    yield* atomically(registration(host, username, keys));
    return "created";
  } catch (error) {
    if (error instanceof QueryFailed && error.failure === "constraint") return "exists";
    throw error;
  }
}

/** False: there is no such account. */
export function* changePassword(host: string, username: string, keys: KeysByHash): Work<boolean> {
  const results = yield* atomically(keyWrites(updateKeys, host, username, keys));
  return results.every((updated) => updated.length === 1);
}

/** What `removeAccount` asks for: one atomic request. */
export function removal(host: string, username: string): readonly Query[] {
  return [query(deleteKeys, [host, username]), query(deleteAccount, [host, username])];
}

/** False: there was no such account. */
export function* removeAccount(host: string, username: string): Work<boolean> {
  const results = yield* atomically(removal(host, username));
  return (results[1]?.length ?? 0) > 0;
}

/** Names after `after` ("" for the first page) in the database's order. */
export function* listAccounts(host: string, after: string, limit: number): Work<readonly string[]> {
  const found = yield* rows(selectAccounts, [host, after, limit]);
  return found.map(({ username }) => username);
}

export interface IterationsFound {
  readonly hash: HashName;
  readonly iterations: number;
  readonly accounts: number;
}

/** Of at most `accountsMax` accounts, the `kindsMax` most frequent pairs of hash and count. */
export function* countIterations(
  host: string,
  accountsMax: number,
  kindsMax: number,
): Work<readonly IterationsFound[]> {
  const found = yield* rows(selectIterations, [host, 3 * accountsMax, kindsMax]);
  return found.flatMap(({ hash, iterations, accounts }) =>
    isHashName(hash) ? [{ hash, iterations, accounts }] : [],
  );
}

const isHashName = (text: string): text is HashName => /^sha-(?:1|256|512)$/.test(text);

function keyWrites(
  statement: typeof insertKeys | typeof updateKeys,
  host: string,
  username: string,
  keys: KeysByHash,
): readonly Query[] {
  return (["sha-1", "sha-256", "sha-512"] as const).map((hash) => {
    const { salt, iterations, storedKey, serverKey } = keys[hash];
    return query(statement, [host, username, hash, salt, iterations, storedKey, serverKey]);
  });
}

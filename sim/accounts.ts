/** Accounts of a run: made before it starts, deleted by operators, and counted when it ends, past all simulated trouble. */
import { bytesFromText } from "../src/base/bytes.ts";
import type { HashName } from "../src/ports/crypto.ts";
import { registration, removal, selectAccounts, type KeysByHash } from "../src/storage/accounts.ts";
import { simulatedScramIterations } from "./config.ts";
import type { NodeCrypto } from "./node.ts";
import { accountAt, hostOf, nameOf } from "./addresses.ts";
import { passwordOf } from "./plan.ts";
import type { DatabaseEngine } from "./ports/database-faults.ts";

const pageSize = 1_000;

export function makeAccounts(
  engine: DatabaseEngine,
  crypto: NodeCrypto,
  users: readonly string[],
): void {
  for (const user of users) {
    const answer = engine.execute(
      0,
      registration(hostOf(user), nameOf(user), keysOf(user, crypto)),
    );
    if (answer.type === "query-failed") {
      throw new Error(`Cannot make the account ${user}: ${answer.detail}`);
    }
  }
}

/** By an operator, in the database itself: no node hears of it. */
export function deleteAccount(engine: DatabaseEngine, user: string): void {
  const answer = engine.execute(0, removal(hostOf(user), nameOf(user)));
  if (answer.type === "query-failed") {
    throw new Error(`Cannot delete the account ${user}: ${answer.detail}`);
  }
}

export function accountsIn(engine: DatabaseEngine, hosts: readonly string[]): readonly string[] {
  return hosts.flatMap((host) => namesAt(engine, host).map((name) => accountAt(name, host)));
}

function namesAt(engine: DatabaseEngine, host: string): readonly string[] {
  const users: string[] = [];
  for (;;) {
    const values = [host, users.at(-1) ?? "", pageSize];
    const answer = engine.execute(0, [{ statement: selectAccounts, values }]);
    if (answer.type === "query-failed") throw new Error(`Cannot list accounts: ${answer.detail}`);
    const page = answer.results[0] ?? [];
    for (const row of page) users.push(String(row["username"]));
    if (page.length < pageSize) return users;
  }
}

/** As `newScramKeys` makes them, with a salt that repeats, so that a run costs few derivations. */
function keysOf(user: string, crypto: NodeCrypto): KeysByHash {
  const salt = bytesFromText(`salt of ${user}`);
  const password = bytesFromText(passwordOf(user));
  const iterations = simulatedScramIterations;
  const keys = (hash: HashName) => {
    const salted = crypto.derive({ hash, password, salt, iterations });
    const clientKey = crypto.hmac(hash, salted, bytesFromText("Client Key"));
    const serverKey = crypto.hmac(hash, salted, bytesFromText("Server Key"));
    return { salt, iterations, storedKey: crypto.hash(hash, clientKey), serverKey };
  };
  return { "sha-1": keys("sha-1"), "sha-256": keys("sha-256"), "sha-512": keys("sha-512") };
}

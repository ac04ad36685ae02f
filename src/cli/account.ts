/**
 * `meerkat account …`: accounts in the database, by the same statements and the same preparation of names
 * and passwords as a client's own registration.
 */
import { availableParallelism } from "node:os";
import { readFileSync } from "node:fs";
import type { Work } from "../ports/work.ts";
import {
  accountExists,
  changePassword,
  listAccounts as listPage,
  lookupKeys,
  registerAccount as register,
  removeAccount as remove,
} from "../storage/accounts.ts";
import { derivedKey } from "../ports/work.ts";
import { makeScramKeys, newScramKeys } from "../stream/sasl/scram.ts";
import { parseJid, prepareDomain, preparePassword } from "../xmpp/jid.ts";
import { type AccountDatabase, openAccounts, type Where } from "./account-database.ts";
import { Failure, reasonOf } from "./failure.ts";
import { forkCommand } from "./forks.ts";
import { askPassword } from "./ask-password.ts";
import { bytesFromText, equalBytes } from "../base/bytes.ts";

const pageSize = 1_000;
/** More than the cores can hash at once, so that the database never waits for them. */
const importedAtOnce = 4 * availableParallelism();
/** Threads that hash in a process of Node's that was not told otherwise. */
const poolThreads = 4;

interface Name {
  readonly host: string;
  readonly username: string;
}

export async function registerAccount(where: Where, jid: string, typed?: string): Promise<void> {
  await withAccounts(where, async (accounts) => {
    const { host, username } = nameOf(jid, accounts);
    const password = await prepared(typed, jid);
    const outcome = await accounts.run(creation({ host, username }, password, accounts));
    if (outcome === "exists") throw new Failure(`The account ${username}@${host} exists already.`);
    console.log(`Registered ${username}@${host}.`);
  });
}

export async function removeAccount(where: Where, jid: string): Promise<void> {
  await withAccounts(where, async (accounts) => {
    const { host, username } = nameOf(jid, accounts);
    if (!(await accounts.run(remove(host, username)))) throw missing({ host, username });
    console.log(`Removed ${username}@${host}.`);
  });
}

export async function setPassword(where: Where, jid: string, typed?: string): Promise<void> {
  await withAccounts(where, async (accounts) => {
    const name = nameOf(jid, accounts);
    const password = await prepared(typed, jid);
    const work = function* (): Work<boolean> {
      const keys = yield* newScramKeys(accounts.keyMaking, password);
      return yield* changePassword(name.host, name.username, keys);
    };
    if (!(await accounts.run(work()))) throw missing(name);
    console.log(`Set the password of ${name.username}@${name.host}.`);
  });
}

export async function listAccounts(where: Where, domain: string): Promise<void> {
  await withAccounts(where, async (accounts) => {
    const host = prepareDomain(domain);
    if (host === undefined) throw new Failure(`"${domain}" is not a domain name.`);
    for (let after = ""; ;) {
      const page = await accounts.run(listPage(host, after, pageSize));
      for (const username of page) console.log(`${username}@${host}`);
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize) return;
      after = last;
    }
  });
}

export async function checkAccount(where: Where, jid: string, typed?: string): Promise<void> {
  await withAccounts(where, async (accounts) => {
    const { host, username } = nameOf(jid, accounts);
    if (!(await accounts.run(accountExists(host, username)))) throw missing({ host, username });
    if (typed === undefined) return console.log(`${username}@${host} exists.`);
    const password = preparePassword(typed) ?? typed;
    if (!(await accounts.run(isPassword({ host, username }, password, accounts)))) {
      throw new Failure(`This is not the password of ${username}@${host}.`);
    }
    console.log(`This is the password of ${username}@${host}.`);
  });
}

/** One account a line, `JID<tab or comma>password`; what exists already stays as it is. */
export async function importAccounts(where: Where, file: string): Promise<void> {
  const cores = availableParallelism();
  if (cores <= poolThreads || process.env["UV_THREADPOOL_SIZE"] !== undefined) {
    return importHere(where, file);
  }
  const child = forkCommand(cores);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>((resolve) =>
    child.once("exit", (code) => resolve(code ?? 1)),
  );
}

async function importHere(where: Where, file: string): Promise<void> {
  await withAccounts(where, async (accounts) => {
    const counts = { created: 0, exists: 0 };
    const problems: string[] = [];
    const running = new Set<Promise<void>>();
    let number = 0;
    try {
      for (const line of readFileSync(file, "utf8").split(/\r?\n/)) {
        number += 1;
        if (line.trim() === "" || line.startsWith("#")) continue;
        const entry = entryOf(line, accounts);
        if (typeof entry === "string") {
          problems.push(`${file}:${number}: ${entry}`);
          continue;
        }
        const task = accounts
          .run(creation(entry.name, entry.password, accounts))
          .then((outcome) => void (counts[outcome] += 1))
          .finally(() => running.delete(task));
        running.add(task);
        if (running.size >= importedAtOnce) await Promise.race(running);
      }
      await Promise.all(running);
    } catch (error) {
      await Promise.allSettled(running);
      throw new Failure(`The import stopped near line ${number} of ${file}: ${reasonOf(error)}.`);
    }
    console.log(`Registered ${counts.created} accounts; ${counts.exists} existed already.`);
    if (problems.length > 0) throw new Failure(problems.join("\n"));
  });
}

function* creation(
  { host, username }: Name,
  password: string,
  { keyMaking }: AccountDatabase,
): Work<"created" | "exists"> {
  // Looked up first: hashing is dear, and a second run of an import should be quick.
  if (yield* accountExists(host, username)) return "exists";
  return yield* register(host, username, yield* newScramKeys(keyMaking, password));
}

function* isPassword(
  { host, username }: Name,
  password: string,
  { keyMaking: { crypto } }: AccountDatabase,
): Work<boolean> {
  const hash = "sha-256";
  const keys = yield* lookupKeys(host, username, hash);
  if (keys === undefined) return false;
  const { salt, iterations } = keys;
  const bytes = bytesFromText(password);
  const salted = yield* derivedKey({ hash, password: bytes, salt, iterations });
  const made = makeScramKeys(crypto, hash, salted, salt, iterations);
  return equalBytes(made.storedKey, keys.storedKey);
}

async function withAccounts(
  where: Where,
  use: (accounts: AccountDatabase) => Promise<void>,
): Promise<void> {
  const accounts = await openAccounts(where);
  try {
    await use(accounts);
  } finally {
    await accounts.close();
  }
}

function nameOf(text: string, { hosts }: AccountDatabase): Name {
  const jid = parseJid(text);
  if (jid === undefined || jid.local === "" || jid.resource !== "") {
    throw new Failure(`"${text}" is not the address of an account, such as alice@${hosts[0]}.`);
  }
  if (!hosts.includes(jid.domain)) {
    throw new Failure(`This node does not serve ${jid.domain}: it serves ${hosts.join(", ")}.`);
  }
  return { host: jid.domain, username: jid.local };
}

async function prepared(typed: string | undefined, jid: string): Promise<string> {
  const password = preparePassword(typed ?? (await askPassword(`Password for ${jid}: `)));
  if (password === undefined) {
    throw new Failure("This password is empty or has characters that are not allowed (RFC 8265).");
  }
  return password;
}

function entryOf(
  line: string,
  accounts: AccountDatabase,
): { name: Name; password: string } | string {
  const at = line.search(/[\t,]/);
  if (at < 0) return "expected a JID, a tab or comma, and a password";
  try {
    const name = nameOf(line.slice(0, at).trim(), accounts);
    const password = preparePassword(line.slice(at + 1));
    return password === undefined ? "the password is empty or not allowed" : { name, password };
  } catch (error) {
    return error instanceof Failure ? error.message : String(error);
  }
}

const missing = ({ host, username }: Name): Failure =>
  new Failure(`There is no account ${username}@${host}.`);

/**
 * AccountDatabase: which database do `meerkat account …` commands work on?
 *
 * That of a node's configuration; or the development database: the one of the node that runs, or else
 * started for as long as the command takes.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Work } from "../ports/work.ts";
import { QueryFailed } from "../ports/work.ts";
import { NodeCrypto } from "../runtime/crypto.ts";
import { startDevDatabase } from "../runtime/dev-database.ts";
import { SystemEntropy } from "../runtime/entropy.ts";
import { PinoLog } from "../runtime/log.ts";
import { type PostgresDatabase, runWork } from "../runtime/postgres.ts";
import { type Config, defaultConfig } from "../server/config.ts";
import type { KeyMaking } from "../stream/sasl/scram.ts";
import { readConfig } from "./config-file.ts";
import { openDatabase } from "./database.ts";
import { Failure, reasonOf } from "./failure.ts";

export interface Where {
  readonly config?: string;
  readonly data: string;
}

export interface AccountDatabase {
  readonly hosts: readonly string[];
  readonly keyMaking: KeyMaking;
  run<T>(work: Work<T>): Promise<T>;
  close(): Promise<void>;
}

const nothing = (): void => undefined;

export async function openAccounts(where: Where): Promise<AccountDatabase> {
  if (where.config !== undefined) {
    const config = readConfig(where.config);
    return accountsOf(config, await open(config.rdbms), async () => undefined);
  }
  const dataDir = resolve(where.data);
  if (!existsSync(dataDir)) {
    throw new Failure(
      `There is no development database in ${dataDir}: run "npm start" once, or give --config.`,
    );
  }
  // Shared with a node that runs; else it lasts as long as the command.
  const own = await startDevDatabase({ dataDir }).catch((error: unknown) => {
    throw new Failure(reasonOf(error));
  });
  const { host, port, username, password } = own;
  const rdbms = { ...defaultConfig.rdbms, host, port, database: own.database, username, password };
  const database = await open(rdbms).catch(async (error: unknown) => {
    await own.stop();
    throw error;
  });
  return accountsOf(defaultConfig, database, () => own.stop());
}

const open = (rdbms: Config["rdbms"]): Promise<PostgresDatabase> =>
  // Commands say themselves what went wrong.
  openDatabase({ ...rdbms, pool_size: Math.min(rdbms.pool_size, 4) }, nothing, new PinoLog("none"));

function accountsOf(
  config: Config,
  database: PostgresDatabase,
  closed: () => Promise<void>,
): AccountDatabase {
  const crypto = new NodeCrypto(nothing);
  const entropy = new SystemEntropy();
  return {
    hosts: config.general.hosts,
    keyMaking: { crypto, entropy, iterations: config.auth.scram_iterations },
    async run(work) {
      try {
        return await runWork(work, database);
      } catch (error) {
        if (!(error instanceof QueryFailed)) throw error;
        throw new Failure(`The database did not do it: ${error.message}.`);
      }
    },
    async close() {
      await database.close();
      await closed();
    },
  };
}

/**
 * Database: connected, with its schema up to date, or a `Failure` in one line; or, where it may be away,
 * still being looked for.
 */
import type { DatabaseInput } from "../ports/database.ts";
import type { Log } from "../ports/log.ts";
import { PostgresDatabase } from "../runtime/postgres.ts";
import type { Config } from "../server/config.ts";
import { Failure, reasonOf } from "./failure.ts";

export async function openDatabase(
  config: Config["rdbms"],
  answer: (input: DatabaseInput) => void,
  log: Log,
  mayBeAway = false,
): Promise<PostgresDatabase> {
  const database = new PostgresDatabase(config, answer, log);
  try {
    await (mayBeAway ? database.connectOrRetry() : database.connect());
    return database;
  } catch (error) {
    // It goes on dialling by itself, which is right for a node that runs and wrong for one that cannot.
    await database.close();
    const where = `${config.database} at ${config.host}:${config.port}`;
    throw new Failure(`Cannot use the database ${where}: ${reasonOf(error)}.`);
  }
}

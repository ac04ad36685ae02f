/**
 * PostgresMigrations: bringing the schema up to date, however many nodes start at once.
 *
 * Everything happens in one transaction that holds an advisory lock: the first node migrates, the others
 * wait and find nothing left to do. A step that fails leaves the schema as it was.
 */
import { Socket } from "node:net";
import type { Config } from "../server/config.ts";
import { newClient } from "./postgres-connection.ts";

/** The shape of `storage/migrations.ts`, so that a test can bring its own. */
export interface Schema {
  readonly migrations: readonly {
    readonly number: number;
    readonly name: string;
    readonly statements: readonly string[];
  }[];
  readonly createMigrationTable: string;
  readonly selectMigrations: { readonly text: string };
  readonly insertMigration: { readonly text: string };
}

/** Any constant, the same in all versions: "Meerkat" on a telephone's keys. */
const advisoryLock = 6_337_528;

/** Numbers of the migrations that ran. Without a statement timeout: building an index takes long. */
export async function migrate(options: Config["rdbms"], schema: Schema): Promise<number[]> {
  const client = newClient(options, new Socket(), undefined);
  let lost: Error | undefined;
  client.on("error", (error) => (lost = error));
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [advisoryLock]);
    await client.query(schema.createMigrationTable);
    const { rows } = await client.query<{ number: number }>(schema.selectMigrations.text);
    const known = new Set(rows.map(({ number }) => number));
    const missing = schema.migrations.filter(({ number }) => !known.has(number));
    for (const { number, name, statements } of missing) {
      for (const statement of statements) await client.query(statement);
      await client.query(schema.insertMigration.text, [number, name]);
    }
    await client.query("COMMIT");
    return missing.map(({ number }) => number);
  } catch (error) {
    throw lost ?? error;
  } finally {
    await client.end().catch(() => undefined); // an open transaction is rolled back
  }
}

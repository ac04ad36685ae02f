/**
 * Temporary folders: of one run of the tests, all gone when it ends.
 *
 * They share a prefix with the run's process id, which its workers inherit; so a worker that dies, or a test
 * that fails, leaves nothing behind either. Vitest calls `setup` before the workers start.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const variable = "MEERKAT_TEST_FOLDERS";

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), process.env[variable] ?? "meerkat-test-"));
}

/** Returns what Vitest calls at the end. */
export default function setup(): () => void {
  const prefix = `meerkat-test-${process.pid}-`;
  process.env[variable] = prefix;
  return () => {
    for (const name of readdirSync(tmpdir())) {
      if (name.startsWith(prefix)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  };
}

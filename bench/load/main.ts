/**
 * Load: the clients, as a process of their own, so that the server's CPU time is the server's alone.
 *
 * Takes a `LoadSpec` as JSON in its only argument and prints a `LoadResult`.
 */
import { modes } from "./modes.ts";
import type { LoadSpec } from "./spec.ts";

const spec = JSON.parse(process.argv[2] ?? "{}") as LoadSpec;
try {
  console.log(JSON.stringify(await modes[spec.mode](spec)));
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

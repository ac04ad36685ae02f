/**
 * Run: `node scripts/run.mjs FILE.ts ...` runs a TypeScript file from source.
 *
 * In this process (tsx is a loader here, not a parent), so that signals and the exit code need no help.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { install, root } from "./ready.mjs";

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/run.mjs FILE.ts [arguments]");
  process.exit(2);
}
await install();
const path = resolve(root, file);
const { register } = await import("tsx/esm/api");
register();
process.setSourceMapsEnabled(true);
process.argv = [process.execPath, path, ...rest];
await import(pathToFileURL(path).href);

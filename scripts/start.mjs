/**
 * Start: `npm start` on a fresh clone.
 *
 * Installs what is missing, builds what is stale, then becomes the development node: in this very process,
 * so that a signal to npm reaches it and nothing is left behind.
 */
import { build, install } from "./ready.mjs";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 12)) {
  console.error(`Node ${process.versions.node} is too old: Meerkat needs Node 20.12 or newer.`);
  process.exit(1);
}
await install();
await build();
const main = new URL("../dist/src/cli/main.js", import.meta.url);
process.setSourceMapsEnabled(true);
process.argv = [process.execPath, main.pathname, "dev", ...process.argv.slice(2)];
await import(main.href);

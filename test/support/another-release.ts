/**
 * Another release: `meerkat serve` for a node that speaks a range of versions that this release does not.
 *
 *     node scripts/run.mjs test/support/another-release.ts CONFIG MIN MAX
 */
import { readConfig } from "../../src/cli/config-file.ts";
import { startNode } from "../../src/cli/node.ts";
import { runUntilStopped } from "../../src/cli/run-until-stopped.ts";

const [file = "", min, max] = process.argv.slice(2);
const config = readConfig(file);
const { cluster } = config;
if (cluster === undefined) throw new Error(`${file} has no cluster`);
const protocol = { min: Number(min), max: Number(max) };
const node = await startNode({ config: { ...config, cluster: { ...cluster, protocol } } });
const code = await runUntilStopped({ node, shutdownTimeout: config.general.shutdown_timeout });
process.exit(code);

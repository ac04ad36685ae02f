/**
 * Zoo: proof that the simulator finds bugs. Plants each known bug, and counts the seeds until its oracle
 * sees it. Exit code 1 if one survives, or fewer than `--at-least` were found.
 *
 *     npm run zoo [-- --seeds 300] [--only NAME] [--at-least 20]
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { build, type Plugin } from "esbuild";
import { plants } from "../zoo/index.ts";
import { infect, type Plant } from "../zoo/plant.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "build", "zoo");

interface Result {
  readonly runs: number;
  readonly found?: { readonly seed: number; readonly what: string };
  readonly others: readonly string[];
}

const flags = new Command("zoo")
  .option("--seeds <count>", "give up on a bug after this many", "300")
  .option("--only <name>", "one plant")
  .option("--at-least <count>", "how many must be found; by default all")
  .parse()
  .opts<{ seeds: string; only?: string; atLeast?: string }>();

mkdirSync(folder, { recursive: true });
const chosen = plants.filter((plant) => flags.only === undefined || plant.name === flags.only);
const waiting = [...chosen];
let survivors = 0;
console.log(`${"bug".padEnd(40)} ${"oracle".padEnd(14)} seeds`);
// One child per core; a bug's bundle is made just before it runs.
await Promise.all(Array.from({ length: availableParallelism() }, work));
const found = chosen.length - survivors;
console.log(`${found} of ${chosen.length} bugs found`);
if (found < Number(flags.atLeast ?? chosen.length)) process.exitCode = 1;

async function work(): Promise<void> {
  for (let plant = waiting.shift(); plant !== undefined; plant = waiting.shift()) {
    const { runs, found, others } = await hunt(plant, await bundle(plant));
    if (found === undefined) survivors += 1;
    const seen = others.length > 0 ? ` (seen by ${others.join(", ")})` : "";
    const end = found === undefined ? `SURVIVED ${runs} seeds${seen}` : `${runs}`;
    console.log(`${plant.name.padEnd(40)} ${plant.oracle.padEnd(14)} ${end}`);
    if (found !== undefined) console.log(`    ${found.what.slice(0, 150)}`);
  }
}

async function bundle(plant: Plant): Promise<string> {
  const outfile = join(folder, `${plant.name}.mjs`);
  const target = join(root, plant.file);
  let planted = false;
  const plugin: Plugin = {
    name: "plant",
    setup(setup) {
      setup.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== target) return undefined;
        planted = true;
        return { contents: infect(plant, readFileSync(path, "utf8")), loader: "ts" };
      });
    },
  };
  await build({
    entryPoints: [join(root, "sim", "cli", "zoo-run.ts")],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
    plugins: [plugin],
  });
  if (!planted) throw new Error(`Plant ${plant.name}: ${plant.file} is not part of the simulator`);
  return outfile;
}

function hunt(plant: Plant, file: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, plant.oracle, "1", flags.seeds], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(output) as Result);
      else reject(new Error(`Plant ${plant.name}: its run ended with code ${String(code)}`));
    });
  });
}

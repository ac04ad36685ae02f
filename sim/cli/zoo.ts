/**
 * Zoo: proof that the simulator finds bugs. Plants each known bug, and counts the seeds until its oracle
 * sees it. With `--shrink` each plan is shrunk, too, and written next to the bundle. Exit code 1 if one
 * survives, or fewer than `--at-least` were found.
 *
 *     npm run zoo [-- --seeds 300] [--only NAME] [--at-least 20] [--shrink 120]
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { build, type Plugin } from "esbuild";
import { plants } from "../zoo/index.ts";
import { infect, type Plant } from "../zoo/plant.ts";
import type { ShrunkSize, ZooResult } from "./zoo-run.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "build", "zoo");

const flags = new Command("zoo")
  .option("--seeds <count>", "give up on a bug after this many", "300")
  .option("--only <name>", "one plant")
  .option("--at-least <count>", "how many must be found; by default all")
  .option(
    "--shrink <seconds>",
    "shrink what was found, for so long at most, and show its size",
    "0",
  )
  .parse()
  .opts<{ seeds: string; only?: string; atLeast?: string; shrink: string }>();

mkdirSync(folder, { recursive: true });
const chosen = plants.filter((plant) => flags.only === undefined || plant.name === flags.only);
const waiting = [...chosen];
let survivors = 0;
const sizeHead = flags.shrink === "0" ? "" : "  shrunk size";
console.log(`${"bug".padEnd(40)} ${"oracle".padEnd(15)} seeds${sizeHead}`);
// One child per core; a bug's bundle is made just before it runs.
await Promise.all(Array.from({ length: availableParallelism() }, work));
const found = chosen.length - survivors;
console.log(`${found} of ${chosen.length} bugs found`);
if (found < Number(flags.atLeast ?? chosen.length)) process.exitCode = 1;

async function work(): Promise<void> {
  for (let plant = waiting.shift(); plant !== undefined; plant = waiting.shift()) {
    let file: string;
    try {
      file = await bundle(plant);
    } catch {
      // What it changes has changed: esbuild has said where.
      survivors += 1;
      console.log(`${plant.name.padEnd(40)} ${plant.oracle.padEnd(15)} CANNOT BE PLANTED`);
      continue;
    }
    const { runs, found, others, shrunk } = await hunt(plant, file);
    if (found === undefined) survivors += 1;
    const seen = others.length > 0 ? ` (seen by ${others.join(", ")})` : "";
    const end = found === undefined ? `SURVIVED ${runs} seeds${seen}` : `${runs}`;
    const size = shrunk === undefined ? "" : `  ${sizeOf(shrunk)}`;
    console.log(`${plant.name.padEnd(40)} ${plant.oracle.padEnd(15)} ${end.padEnd(5)}${size}`);
    if (shrunk !== undefined) {
      const path = join(folder, `${plant.name}.plan.json`);
      writeFileSync(path, `${JSON.stringify(shrunk.plan, null, 2)}\n`);
    }
    if (found !== undefined) console.log(`    ${found.what.slice(0, 150)}`);
  }
}

function sizeOf({ before, events, faults, clients, nodes, seconds }: ShrunkSize): string {
  const fewer = (before / Math.max(1, events)).toFixed(0);
  const left = `${faults} faults, ${clients} clients, ${nodes} nodes`;
  return `${before} -> ${events} events (${fewer}x), ${left}, ${seconds} s`;
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

function hunt(plant: Plant, file: string): Promise<ZooResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [file, plant.oracle, "1", flags.seeds, flags.shrink, plant.profile ?? "small"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(output) as ZooResult);
      else reject(new Error(`Plant ${plant.name}: its run ended with code ${String(code)}`));
    });
  });
}

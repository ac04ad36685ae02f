/**
 * Zoo: proof that the simulator finds bugs. Plants each known bug, and counts the seeds until its oracle
 * sees it. With `--shrink` each plan is shrunk, too, and written next to the bundle. Exit code 1 if one
 * survives, or fewer than `--at-least` were found, or one cannot be tried.
 *
 * `--without ORACLE` switches one oracle off: what then survives is what only that oracle sees. `--matrix`
 * asks the same of all oracles at once, for an oracle off is one whose sightings do not count: it notes all
 * that fail in the same run, and goes on until two have seen a bug.
 *
 * `--purposes` asks what each oracle is for, which takes less: one of its bugs that within these seeds nobody else
 * sees. The last line says whether switching off any one oracle would lose a bug; if not, the exit code is 1.
 *
 *     npm run zoo [-- --seeds 300] [--only NAMES] [--at-least 20] [--shrink 120] [--workers 1]
 *     npm run zoo -- --matrix [--seeds 40]
 *     npm run zoo -- --purposes [--seeds 24]
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { build, type Plugin } from "esbuild";
import { makeOracles } from "../oracles/index.ts";
import { planFromSeed } from "../plan-from-seed.ts";
import { infect, type Plant } from "../zoo/plant.ts";
import { told } from "./told.ts";
import { zooChoice, type ZooChoice, type ZooFlags } from "./zoo-choice.ts";
import { isAlone, matrixLines, purposes, type Row } from "./zoo-matrix.ts";
import type { ShrunkSize, ZooOrder, ZooResult } from "./zoo-run.ts";
import { v8Flags } from "./v8-flags.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "build", "zoo");

const flags = new Command("zoo")
  .option("--seeds <count>", "give up on a bug after this many", "300")
  .option("--only <names>", "plants whose names contain one of these, with commas between")
  .option("--at-least <count>", "how many must be found; by default all")
  .option(
    "--shrink <seconds>",
    "shrink what was found, for so long at most, and show its size",
    "0",
  )
  .option("--workers <count>", "processes; as many as cores unless said")
  .option("--without <oracle>", "switch one oracle off: what any other sees is found")
  .option("--matrix", "which bugs does each oracle alone see?")
  .option("--purposes", "of each oracle, a bug that it alone sees")
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse()
  .opts<ZooFlags>();

const oracles = makeOracles(planFromSeed(1)).map(({ name }) => name);
const choice = understood();
const { chosen, asks } = choice;
mkdirSync(folder, { recursive: true });
/** Taken one after the other; for purposes those of one oracle, until it has one of its own. */
const waiting =
  asks === "purposes"
    ? oracles.map((oracle) => chosen.filter((plant) => plant.oracle === oracle))
    : chosen.map((plant) => [plant]);
const rows: Row[] = [];
/** Those that could not be planted, or whose process died. */
let untried = 0;
const sizeHead = choice.shrinkSeconds === 0 ? "" : "  shrunk size";
console.log(`${"bug".padEnd(40)} ${"oracle".padEnd(15)} seeds${sizeHead}`);
// One child per core; a bug's bundle is made just before it runs.
await Promise.all(Array.from({ length: choice.workers }, work));
const found = rows.filter((row) => row.found).length;
if (asks === "purposes") tellPurposes();
else tellFound();
if (untried > 0) {
  console.log(`${untried} could not be tried`);
  process.exitCode = 1;
}

function understood(): ZooChoice {
  try {
    return zooChoice(flags, oracles);
  } catch (error) {
    process.exit(told(error));
  }
}

function tellFound(): void {
  if (asks === "matrix") for (const line of matrixLines(rows, oracles)) console.log(line);
  console.log(`${found} of ${chosen.length} bugs found`);
  if (found < choice.atLeast) process.exitCode = 1;
}

function tellPurposes(): void {
  const { lines, complete } = purposes(rows, oracles);
  for (const line of lines) console.log(line);
  if (!complete) process.exitCode = 1;
}

async function work(): Promise<void> {
  for (let some = waiting.shift(); some !== undefined; some = waiting.shift()) {
    for (const plant of some) {
      const row = await tryOne(plant);
      rows.push(row);
      if (asks === "purposes" && isAlone(row, plant.oracle)) break;
    }
  }
}

async function tryOne(plant: Plant): Promise<Row> {
  const head = `${plant.name.padEnd(40)} ${plant.oracle.padEnd(15)}`;
  const enough = enoughFor(plant);
  let result: ZooResult;
  try {
    result = await hunt(plant, await bundle(plant), enough);
  } catch (error) {
    untried += 1;
    console.log(`${head} ${error instanceof Error ? error.message : String(error)}`);
    return { name: plant.name, found: false, seen: [] };
  }
  const { runs, seen, shrunk } = result;
  const sighting = seen.find(({ oracle }) => enough?.includes(oracle) ?? true);
  const others = seen.map((each) => `${each.oracle} ${each.runs}`).join(", ");
  const named = enough === undefined || seen.length > 1 || sighting === undefined;
  const by = named && others !== "" ? ` (seen by ${others})` : "";
  const end = sighting === undefined ? `SURVIVED ${runs} seeds${by}` : `${sighting.runs}`;
  const size = shrunk === undefined ? "" : `  ${sizeOf(shrunk)}`;
  console.log(`${head} ${end.padEnd(5)}${size}${sighting === undefined ? "" : by}`);
  if (shrunk !== undefined) {
    const path = join(folder, `${plant.name}.plan.json`);
    writeFileSync(path, `${JSON.stringify(shrunk.plan, null, 2)}\n`);
  }
  if (sighting !== undefined) console.log(`    ${sighting.what.slice(0, 150)}`);
  return { name: plant.name, found: sighting !== undefined, seen: seen.map((s) => s.oracle) };
}

function enoughFor(plant: Plant): readonly string[] | undefined {
  if (asks !== "found") return undefined;
  if (choice.without === undefined) return [plant.oracle];
  return oracles.filter((oracle) => oracle !== choice.without);
}

function sizeOf({ before, events, faults, clients, nodes, seconds, runs }: ShrunkSize): string {
  const fewer = (before / Math.max(1, events)).toFixed(0);
  const left = `${faults} faults, ${clients} clients, ${nodes} nodes`;
  return `${before} -> ${events} events (${fewer}x), ${left}, ${runs} runs in ${seconds} s`;
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
  try {
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
  } catch {
    // What it changes has changed: esbuild has said where.
    throw new Error("CANNOT BE PLANTED");
  }
  if (!planted) throw new Error(`CANNOT BE PLANTED: ${plant.file} is not part of the simulator`);
  return outfile;
}

function hunt(
  plant: Plant,
  file: string,
  enough: readonly string[] | undefined,
): Promise<ZooResult> {
  const order: ZooOrder = {
    profile: plant.profile ?? "small",
    seeds: choice.seeds,
    shrinkSeconds: choice.shrinkSeconds,
    ...(enough === undefined ? {} : { enough }),
  };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...v8Flags, file, JSON.stringify(order)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(JSON.parse(output) as ZooResult);
      else reject(new Error(`DIED: its process ended with ${String(signal ?? code)}`));
    });
  });
}

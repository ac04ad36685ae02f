/**
 * Bench: what does Meerkat cost, beside a relay that does nothing and beside the servers that are installed?
 *
 *     npm run bench -- [--quick] [--only msg100,idle] [--subjects meerkat,relay] [--repeat 3] [sim cluster-]
 *
 * What stands without an option is the beginning of names: those rows, too.
 * Prints a table per row and writes bench/results/ROW.json. Every repetition asks all subjects the same
 * in turn, so that what else the machine does hits them alike. docs/benchmarks.md says what is counted.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeCertificate } from "./certificate.ts";
import { answer, questions } from "./cluster/questions.ts";
import type { LoadResult, LoadSpec } from "./load/spec.ts";
import { machine, table, writeJson } from "./report.ts";
import { quick, rows, type Row } from "./rows.ts";
import { measureSimulation, simulationRow } from "./simulation.ts";
import { ejabberd } from "./subjects/ejabberd.ts";
import { meerkat, meerkat2 } from "./subjects/meerkat.ts";
import { prosody } from "./subjects/prosody.ts";
import { relay } from "./subjects/relay.ts";
import { root, type Certificate, type Running, type Subject } from "./subjects/subject.ts";

const usage =
  "npm run bench -- [--quick] [--only ROW,…] [--subjects NAME,…] [--repeat N] [BEGINNING…]";

function readOptions() {
  try {
    const text = { type: "string" } as const;
    const quickly = { type: "boolean", default: false } as const;
    const known = { quick: quickly, only: text, subjects: text, repeat: text };
    const { values, positionals } = parseArgs({ options: known, allowPositionals: true });
    return { ...values, beginnings: positionals };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

const options = readOptions();
const repetitions = Number(options.repeat ?? (options.quick ? 1 : 3));

function wanted<T extends { readonly name: string }>(all: readonly T[], names?: string): T[] {
  const asked = names?.split(",");
  return all.filter(({ name }) => asked === undefined || asked.includes(name));
}

function refuseUnknown(option: string, names: string | undefined, known: readonly string[]): void {
  for (const name of names?.split(",") ?? []) {
    if (known.includes(name)) continue;
    console.error(`--${option}: there is no "${name}"; there are ${known.join(", ")}.`);
    process.exit(2);
  }
}

/** Undefined: all of them. */
function chosen(rowNames: readonly string[]): string | undefined {
  refuseUnknown("only", options.only, rowNames);
  const names = options.beginnings.flatMap((beginning) => {
    const found = rowNames.filter((name) => name.startsWith(beginning));
    if (found.length === 0) refuseUnknown("only", beginning, rowNames);
    return found;
  });
  return options.only === undefined && names.length === 0
    ? undefined
    : [...(options.only?.split(",") ?? []), ...names].join(",");
}

/** The servers that are running; a row that needs one of its own starts and stops it itself. */
class Servers {
  readonly #certificate: Certificate;
  readonly #running = new Map<string, Running>();

  constructor(certificate: Certificate) {
    this.#certificate = certificate;
  }

  async measure(subject: Subject, row: Row): Promise<LoadResult> {
    if (!row.fresh) return load(await this.#get(subject, row.tls), row);
    const running = await this.#start(subject, row.tls);
    try {
      return await load(running, row);
    } finally {
      await running.stop();
    }
  }

  async stop(): Promise<void> {
    const all = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(all.map((each) => each.stop()));
  }

  async #get(subject: Subject, tls: boolean): Promise<Running> {
    const key = `${subject.name} ${tls}`;
    const running = this.#running.get(key) ?? (await this.#start(subject, tls));
    this.#running.set(key, running);
    return running;
  }

  #start(subject: Subject, tls: boolean): Promise<Running> {
    return subject.start({ tls, certificate: this.#certificate });
  }
}

/** Runs the load process once. */
function load(running: Running, row: Row): Promise<LoadResult> {
  const spec: LoadSpec = {
    ...row.load,
    tls: row.tls,
    ports: running.ports ?? [running.port],
    pids: running.pids(),
    databasePids: running.databasePids?.() ?? [],
  };
  const args = ["scripts/run.mjs", "bench/load/main.ts", JSON.stringify(spec)];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(output) as LoadResult);
      else reject(new Error(`${row.name}: the load process ended with ${code}`));
    });
  });
}

async function measureRow(servers: Servers, subjects: readonly Subject[], row: Row): Promise<void> {
  const measured = new Map<string, LoadResult[]>();
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const subject of subjects) {
      try {
        const result = await servers.measure(subject, row);
        measured.set(subject.name, [...(measured.get(subject.name) ?? []), result]);
      } catch (error) {
        console.error(`${row.name}, ${subject.name}:`, error instanceof Error ? error.message : "");
        process.exitCode = 1;
      }
    }
  }
  writeJson(row.name, { machine: machine(), row, results: Object.fromEntries(measured) });
  console.log(`${table(row, measured)}\n`);
}

async function main(): Promise<void> {
  const all = [relay, meerkat, meerkat2, ejabberd, prosody];
  const rowNames = [...rows, ...questions].map(({ name }) => name).concat(simulationRow);
  const only = chosen(rowNames);
  const subjectNames = all.map(({ name }) => name);
  refuseUnknown("subjects", options.subjects, subjectNames);
  const subjects = wanted(all, options.subjects).filter((subject) => {
    const reason = subject.unavailable();
    if (reason !== undefined) console.log(`${subject.name} is left out: ${reason}`);
    return reason === undefined;
  });
  const built = spawnSync(process.execPath, ["scripts/build.mjs"], { cwd: root, stdio: "inherit" });
  if (built.status !== 0) process.exit(1);
  const folder = mkdtempSync(join(tmpdir(), "meerkat-bench-"));
  const servers = new Servers(await makeCertificate(folder));
  const stop = async (): Promise<void> => {
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void stop().finally(() => process.exit(130)));
  }
  try {
    console.log(`${JSON.stringify(machine())}\nmedians of ${repetitions}\n`);
    for (const row of wanted(rows, only)) {
      await measureRow(servers, subjects, options.quick ? quick(row) : row);
    }
    for (const question of wanted(questions, only)) {
      const { runs, table: shown } = await answer(question, repetitions, options.quick);
      writeJson(question.name, { machine: machine(), title: question.title, runs });
      console.log(`${shown}\n`);
    }
    if (wanted([{ name: simulationRow }], only).length > 0) {
      console.log(await measureSimulation(options.quick ? 1 : repetitions));
    }
  } finally {
    await stop();
  }
}

await main();

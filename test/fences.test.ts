/**
 * Fences: does every rule of the fence refuse what it is there to refuse, in every layer?
 *
 * One violation per layer and rule is planted in a folder of its own, with our own configuration beside it,
 * and each tool runs once over all plants. A plant that passes is a hole: the test names it. Innocent
 * files beside them must pass, or the fence would be proved by a tool that refuses everything.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

// Whole compilers and linters run here; on a busy machine they take their time.
const patient = { timeout: 60_000 };

const root = fileURLToPath(new URL("..", import.meta.url));
const inner = "base ports xmpp cluster storage stream router im modules admin server".split(" ");
const fenced = [...inner.map((layer) => `src/${layer}`), "sim", "sim/faults"];

/** Refused by the compiler, since these names are not declared. */
const platform: Record<string, string> = {
  timeout: "setTimeout(() => undefined, 1);",
  immediate: "setImmediate(() => undefined);",
  process: "export const x = process.pid;",
  buffer: 'export const x = Buffer.from("a");',
  console: 'console.log("a");',
  performance: "export const x = performance.now();",
  crypto: "export const x = crypto.randomUUID();",
  fetch: 'export const x = fetch("http://localhost/");',
  url: 'export const x = new URL("http://localhost/");',
  encoder: "export const x = new TextEncoder();",
  microtask: "queueMicrotask(() => undefined);",
  clone: "export const x = structuredClone({});",
  "node-import": 'import { readFileSync } from "node:fs";\nexport const x = readFileSync;',
  "node-type": 'import type { Socket } from "node:net";\nexport type X = Socket;',
};

/** Known to ES2023, so refused by the linter. */
const language: Record<string, string> = {
  "date-now": "export const x = Date.now();",
  "date-destructured": "export const { now } = Date;",
  "date-new": "export const x = new Date();",
  "date-type": "export type X = Date;",
  random: "export const x = Math.random();",
  "random-computed": 'export const x = Math["random"]();',
  "random-destructured": "export const { random } = Math;",
  sine: "export const x = Math.sin(1);",
  logarithm: "export const x = Math.log2(8);",
  power: "export const x = (a: number): number => a ** 0.5;",
  intl: "export const x = new Intl.NumberFormat();",
  "locale-compare": 'export const x = "a".localeCompare("b");',
  "locale-string": "export const x = (1).toLocaleString();",
  promise: "export const x = Promise.resolve(1);",
  "promise-type": "export type X = Promise<void>;",
  async: "export async function x(): Promise<void> {}",
  "async-arrow": "export const x = async () => 1;",
  "async-method": "export class X { async x() {} }",
  await: "export const x = async (y: unknown) => await y;",
  "dynamic-import": 'export const x = () => import("ltx");',
  "global-this": "export const x = globalThis;",
  atomics: "export const x = Atomics.load(new Int32Array(1), 0);",
  shared: "export const x = new SharedArrayBuffer(1);",
  "weak-ref": "export const x = new WeakRef({});",
  finalization: "export const x = new FinalizationRegistry(() => undefined);",
  eval: 'export const x = eval("1");',
  function: 'export const x = new Function("return 1");',
  "module-state": "export let x = 1;\nexport const y = () => x++;",
  "module-map": "export const x = new Map<string, number>();",
  declare: "declare const performance: { now(): number };\nexport const x = performance.now();",
  "declare-function":
    "declare function setTimeout(f: () => void): number;\nsetTimeout(() => undefined);",
};

const innocent = `import { y } from "./innocent-too.ts";
const table = new Map([["a", 2 ** 10]]);
export function* x(): Generator<number, void, number> {
  yield Math.floor(y / 2) + (table.get("a") ?? Math.sqrt(4));
}
`;

const folders: string[] = [];
afterAll(() => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));

function plot(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "meerkat-fences-"));
  folders.push(folder);
  const configs = ["tsconfig.base.json", "tsconfig.core.json", "tsconfig.json", "package.json"];
  for (const name of [...configs, ".oxlintrc.json", ".dependency-cruiser.cjs", "scripts/lint"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function tool(folder: string, script: string, ...args: string[]): string {
  const path = join(root, "node_modules", script);
  const limit = { maxBuffer: 1 << 28, encoding: "utf8" } as const;
  return spawnSync(process.execPath, [path, ...args], { cwd: folder, ...limit }).stdout;
}

function plants(folders: readonly string[], rules: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    folders.flatMap((folder) =>
      Object.entries(rules).map(([rule, text]) => [`${folder}/plant-${rule}.ts`, `${text}\n`]),
    ),
  );
}

const innocents = Object.fromEntries(
  fenced.flatMap((folder) => [
    [`${folder}/innocent.ts`, innocent],
    [`${folder}/innocent-too.ts`, "export const y = 3;\n"],
  ]),
);

const holes = (planted: Readonly<Record<string, string>>, refused: ReadonlySet<string>) =>
  Object.keys(planted).filter((path) => !refused.has(path));

test("fences: the platform is a compile error in every layer", patient, () => {
  const planted = plants(fenced, platform);
  const exempt = plants(["src/runtime", "src/cli", "src/library", "sim/cli"], platform);
  const folder = plot({ ...planted, ...exempt, ...innocents });
  const output = tool(
    folder,
    "typescript7/bin/tsc",
    "-p",
    "tsconfig.core.json",
    "--pretty",
    "false",
  );
  const refused = new Set(
    [...output.matchAll(/^(\S+?)\(\d+,\d+\): error/gm)].map(([, path]) => path ?? ""),
  );
  expect(holes(planted, refused)).toEqual([]);
  expect([...refused].filter((path) => !(path in planted))).toEqual([]);
});

test(
  "fences: clocks, chance, promises and shared state are lint errors in every layer",
  patient,
  () => {
    const planted = plants(fenced, language);
    const outside = {
      "date-now": "export const x = Date.now();\n",
      async: "export const x = async () => 1;\n",
    };
    const exempt = plants(["src/runtime", "src/cli", "src/library", "sim/cli"], outside);
    const folder = plot({ ...planted, ...exempt, ...innocents });
    const output = tool(folder, "oxlint/bin/oxlint", "--format=json", "src", "sim");
    const report = JSON.parse(output) as {
      diagnostics: { filename: string }[];
      number_of_files: number;
    };
    const refused = new Set(report.diagnostics.map(({ filename }) => filename));
    expect(holes(planted, refused)).toEqual([]);
    expect([...refused].filter((path) => !(path in planted))).toEqual([]);
  },
);

/** Who may see whom, written out a second time and by hand: compare with house.md's one line. */
const allowed = new Map(
  `base:
   ports: base
   xmpp: base
   cluster: base
   storage: base ports
   stream: base ports xmpp
   router: base ports xmpp cluster storage stream
   im: base ports xmpp cluster storage stream router
   modules: base ports xmpp cluster storage stream router
   admin: base ports xmpp cluster storage stream router
   server: base ports xmpp cluster storage stream router im modules admin
   runtime: base ports
   cli: base ports xmpp cluster storage stream router im modules admin server runtime
   library: base ports cluster runtime
   sim: base ports xmpp cluster storage stream router im modules admin server`
    .split("\n")
    .map((line) => line.split(":"))
    .map(([from = "", to = ""]) => [
      from.trim(),
      new Set([from.trim(), ...to.trim().split(/\s+/)]),
    ]),
);
const place = (layer: string) => (layer === "sim" ? "sim" : `src/${layer}`);
const up = (layer: string) => (layer === "sim" ? ".." : "../..");

test("fences: imports point one way, in no cycle, past Node and drivers", patient, () => {
  const layers = [...allowed.keys()];
  const good: Record<string, string> = Object.fromEntries(
    layers.map((layer) => [`${place(layer)}/thing.ts`, "export type Thing = 1;\n"]),
  );
  const bad: Record<string, string> = {};
  for (const from of layers) {
    for (const to of layers.filter((layer) => layer !== from)) {
      const text = `import type { Thing } from "${up(from)}/${place(to)}/thing.ts";\nexport type X = Thing;\n`;
      const into = allowed.get(from)?.has(to) === true ? good : bad;
      into[`${place(from)}/to-${to}.ts`] = text;
    }
  }
  for (const folder of fenced) {
    bad[`${folder}/node.ts`] = 'import "node:fs";\n';
    bad[`${folder}/bare-node.ts`] = 'import "fs";\n';
    bad[`${folder}/driver.ts`] = 'import type { Pool } from "pg";\nexport type X = Pool;\n';
    good[`${folder}/pure.ts`] =
      'import { Element } from "ltx";\nexport const x = new Element("a");\n';
  }
  good["src/server/loop.ts"] = "export type Loop = 1;\nexport const loop = 1;\n";
  good["src/runtime/types.ts"] =
    'import type { Loop } from "../server/loop.ts";\nexport type X = Loop;\n';
  bad["src/runtime/values.ts"] =
    'import { loop } from "../server/loop.ts";\nexport const x = loop;\n';
  good["src/modules/index.ts"] = 'export { x } from "./ping.ts";\n';
  good["src/modules/ping.ts"] = "export const x = 1;\n";
  bad["src/modules/pong.ts"] = 'import { x } from "./ping.ts";\nexport const y = x;\n';
  // A cycle is reported once, at the first of its files.
  good["src/base/hen.ts"] = 'import type { Egg } from "./egg.ts";\nexport type Hen = Egg[];\n';
  bad["src/base/egg.ts"] = 'import type { Hen } from "./hen.ts";\nexport type Egg = Hen[];\n';
  bad["sim/world.ts"] = 'import "../src/modules/nowhere.ts";\n';
  good["sim/kit/world.ts"] = 'export type { Thing } from "../../src/base/thing.ts";\n';
  bad["sim/kit/upwards.ts"] = 'export type { Thing } from "../thing.ts";\n';
  bad["sim/kit/of-the-cluster.ts"] = 'export type { Thing } from "../../src/cluster/thing.ts";\n';
  const example = "examples/simulate-a-protocol";
  good[`${example}/with-the-kit.ts`] = 'import "../../sim/kit/world.ts";\n';
  bad[`${example}/with-the-rest.ts`] = 'import "../../sim/world.ts";\n';
  const folder = plot({ ...good, ...bad });
  const folders = ["src", "sim", "examples"];
  const cruise = ["--config", ".dependency-cruiser.cjs", "--output-type", "json", ...folders];
  const output = tool(folder, "dependency-cruiser/bin/dependency-cruise.mjs", ...cruise);
  const { summary } = JSON.parse(output) as { summary: { violations: { from: string }[] } };
  const refused = new Set(summary.violations.map(({ from }) => from));
  expect(holes(bad, refused)).toEqual([]);
  expect([...refused].filter((path) => !(path in bad))).toEqual([]);
});

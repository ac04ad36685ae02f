/**
 * Ready: is what the other scripts need there, and fresh?
 *
 * Plain JavaScript on nothing but Node, since it runs before anything is installed. Freshness is judged
 * by content, not by age: a checkout that touches the lockfile without changing it costs nothing.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const stampFile = join(root, "dist", ".built");

/** Runs a program; signals to us reach it; resolves to its exit code (128 + n for a signal, as shells say). */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
    const forward = (signal) => child.kill(signal);
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, forward);
    const done = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.on("error", (error) => {
      done();
      reject(error);
    });
    child.on("close", (code, signal) => {
      done();
      resolve(code ?? 128 + ({ SIGINT: 2, SIGTERM: 15, SIGHUP: 1, SIGKILL: 9 }[signal] ?? 0));
    });
  });
}

/** Does node_modules hold what the lockfile says? Optional packages (other platforms) may be missing. */
export function isInstalled() {
  const installed = readJson(join(root, "node_modules", ".package-lock.json"));
  const wanted = readJson(join(root, "package-lock.json"));
  if (installed === undefined || wanted === undefined) return false;
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (path === "") return true;
    const found = installed.packages[path];
    if (found === undefined) return entry.optional === true || entry.peer === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** `npm ci` unless everything is there. Ends the process if it fails. */
export async function install() {
  if (isInstalled()) return;
  console.error("Installing what package-lock.json lists (about 20 seconds) ...");
  const npm = process.env.npm_execpath;
  const args = ["ci", "--no-fund", "--no-audit", "--loglevel=error"];
  // npm names itself when it started us; its own script is surer than whatever `npm` the PATH has.
  const code =
    npm?.endsWith(".js") === true
      ? await run(process.execPath, [npm, ...args])
      : await run("npm", args);
  if (code !== 0) fail(`npm ci failed with exit code ${code}`, code);
}

/** Compiles src/ to dist/ unless dist/ was made from these very files. Ends the process if it fails. */
export async function build() {
  const stamp = sourceStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  rmSync(stampFile, { force: true });
  console.error("Building ...");
  const tsc = join(root, "node_modules", "typescript7", "bin", "tsc");
  const code = await run(process.execPath, [tsc, "-p", "tsconfig.build.json"]);
  if (code !== 0) fail("The build failed: the compiler's messages are above.", code);
  removeOrphans(join(root, "dist", "src"));
  mkdirSync(join(root, "dist"), { recursive: true });
  writeFileSync(stampFile, stamp);
}

function fail(message, code) {
  console.error(message);
  process.exit(code);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

function sourceStamp() {
  return contentHash(["src"]);
}

/** Of all files in these folders, and of what says how they are compiled and with what. */
export function contentHash(folders) {
  const hash = createHash("sha256");
  const configs = readdirSync(root).filter((name) => /^tsconfig\..*json$/.test(name));
  const files = folders.flatMap((folder) => filesUnder(join(root, folder)));
  files.push(...configs.map((name) => join(root, name)));
  for (const path of [...files, join(root, "package-lock.json")].sort((a, b) => (a < b ? -1 : 1))) {
    if (!statSync(path).isFile()) continue;
    hash
      .update(`${relative(root, path)}\n`)
      .update(readFileSync(path))
      .update("\n");
  }
  return hash.digest("hex");
}

/** What a deleted source left in dist/ would still be importable. */
function removeOrphans(folder) {
  if (!existsSync(folder)) return;
  for (const path of filesUnder(folder)) {
    const source = join(root, relative(join(root, "dist"), path)).replace(
      /(\.d\.ts|\.js(\.map)?)$/,
      ".ts",
    );
    if (!existsSync(source)) rmSync(path);
  }
}

/**
 * Bundled: `node scripts/bundled.mjs FOLDER/FOLDER/FILE.ts ...` runs a TypeScript file as one file of JavaScript.
 *
 * As run.mjs does, in this process, for what is started often and is made of many files: to load one is
 * faster than to load hundreds. The bundle bears a hash of all that it could be made of, so it is never
 * stale; it lies as deep below the root as its source, so that relative paths mean the same.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { contentHash, install, root } from "./ready.mjs";

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/bundled.mjs FOLDER/FOLDER/FILE.ts [arguments]");
  process.exit(2);
}
await install();
const path = await bundle(resolve(root, file));
process.setSourceMapsEnabled(true);
process.argv = [process.execPath, path, ...rest];
await import(pathToFileURL(path).href);

async function bundle(source) {
  const name = basename(source, ".ts");
  const folder = join(root, "build", basename(dirname(dirname(source))));
  const fresh = `${name}-${contentHash(["src", "sim", "scripts"]).slice(0, 16)}.mjs`;
  const target = join(folder, fresh);
  if (existsSync(target)) return target;
  mkdirSync(folder, { recursive: true });
  for (const old of readdirSync(folder)) {
    if (old.startsWith(`${name}-`)) rmSync(join(folder, old), { force: true });
  }
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [source],
    outfile: target,
    ...{ bundle: true, packages: "external", platform: "node", format: "esm", target: "node20" },
    ...{ sourcemap: "linked", sourcesContent: false, write: false, logLevel: "error" },
  });
  // The map comes first. A name appears at once or not at all, whoever else makes the same bundle.
  for (const { path: output, contents } of outputFiles) {
    const partial = `${output}.${process.pid}`;
    writeFileSync(partial, contents);
    renameSync(partial, output);
  }
  return target;
}

/**
 * Tidy: the house's rules that no other tool checks, as a test.
 *
 * What the compiler, oxlint and dependency-cruiser can refuse is theirs (see `npm run check`); here are
 * the rules about files, names and words.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const code = /\.(ts|mjs|cjs|js|tsx)$/;
const text = /\.(ts|mjs|cjs|js|tsx|json|md|toml|sql|yaml|yml|txt|html|css)$|^\.ci\/run$/;

/** Tracked or about to be; nothing that is ignored. */
function tree(): { path: string; lines: readonly string[] }[] {
  const listed = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  return execFileSync("git", listed, { cwd: root, encoding: "utf8" })
    .split("\0")
    .filter(
      (path) => text.test(path) && path !== "package-lock.json" && existsSync(join(root, path)),
    )
    .map((path) => ({ path, lines: readFileSync(join(root, path), "utf8").split("\n") }));
}
const files = tree();
const sources = files.filter(({ path }) => code.test(path));

/** `path:line` of every line that the pattern matches. */
function found(pattern: RegExp, where: typeof files): string[] {
  return where.flatMap(({ path, lines }) =>
    lines.flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
  );
}
const inside = (folder: RegExp) => sources.filter(({ path }) => folder.test(path));
// This file and the fences must be able to name what they forbid.
const others = files.filter(({ path }) => path !== "test/tidy.test.ts");

test("tidy: no source file is longer than 500 lines", () => {
  // Tables that a script derived from Unicode's are data.
  const long = sources.filter(
    ({ path, lines }) => lines.length > 501 && !/tables?\.ts$/.test(path),
  );
  expect(long.map(({ path, lines }) => `${path}: ${lines.length}`)).toEqual([]);
});

test("tidy: every source file says first which question it answers", () => {
  const silent = sources.filter(({ lines }) => {
    const first = lines[0]?.startsWith("#!") === true ? lines[1] : lines[0];
    return first?.startsWith("/**") !== true;
  });
  const exempt = /^(test|properties|bench)\/|\.config\.ts$/;
  expect(silent.map(({ path }) => path).filter((path) => !exempt.test(path))).toEqual([]);
});

test("tidy: files and folders of code are named in kebab-case", () => {
  const odd = sources.filter(
    ({ path }) =>
      !path
        .split("/")
        .every((part) =>
          /^\.?[a-z0-9]+(-[a-z0-9]+)*((\.[a-z0-9-]+)*\.(ts|mjs|cjs|js))?$/.test(part),
        ),
  );
  expect(odd.map(({ path }) => path)).toEqual([]);
});

test("tidy: no file is named after nothing in particular", () => {
  const vague = /^(utils?|helpers?|managers?|common|misc|shared|types|constants)\./;
  expect(sources.map(({ path }) => path).filter((path) => vague.test(basename(path)))).toEqual([]);
});

test("tidy: src/ and sim/ have no default exports, any, non-null assertions or silenced compiler", () => {
  const where = inside(/^(src|sim)\//);
  expect(found(/^export default/, where)).toEqual([]);
  expect(found(/(:|\bas|<) ?any\b(?![- ][a-z])/, where.map(withoutComments))).toEqual([]);
  expect(found(/[\w)\]]!(\.|\[|;|,|\))/, where.map(withoutComments))).toEqual([]);
  expect(found(/@ts-(ignore|nocheck|expect-error)/, where)).toEqual([]);
});

test("tidy: nothing is left for later", () => {
  expect(found(/\b(TODO|FIXME|XXX|HACK)\b/, others)).toEqual([]);
  expect(found(/\b(test|it|describe)\.(only|skip|todo)\b/, others)).toEqual([]);
});

test("tidy: nothing names the machine or the hands that wrote it", () => {
  expect(found(/(^|[\s"'`(=])\/(work|home|Users|mnt)\//, others)).toEqual([]);
  expect(found(/\b(sub-?agent|language model|this session)\b/i, others)).toEqual([]);
});

/** Lines with comments and strings blanked, so that prose may say what code may not. */
function withoutComments({ path, lines }: (typeof files)[number]): (typeof files)[number] {
  const blank = (match: string) => match.replace(/[^\n]/g, " ");
  const bare = lines
    .join("\n")
    .replace(/\/\*[\s\S]*?\*\/|(?<![:"'`\w])\/\/.*$/gm, blank)
    .replace(/"(?:[^"\\\n]|\\.)*"/g, blank);
  return { path, lines: bare.split("\n") };
}

test("tidy: what serves clients and what is simulated are composed by the same server()", () => {
  const taken = /\bserver\b.* from ".*\/server\/server\.ts"/;
  const takers = found(taken, inside(/^src\/cli\/node\.ts$|^sim\/run\.ts$/));
  expect(takers.map((line) => line.split(":")[0])).toEqual(["sim/run.ts", "src/cli/node.ts"]);
  const made = found(/new (?:MeerkatCore|Loop)\(/, inside(/^(?:src|sim)\//));
  expect([...new Set(made.map((line) => line.split(":")[0]))]).toEqual(["src/server/server.ts"]);
});

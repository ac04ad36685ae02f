/** Code version: which code made this trace? The package's version, and the commit where there is one. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** `0.1.0+c15d7d4`, with `.changed` where sources differ from the commit. */
export function codeVersion(): string {
  const text = readFileSync(join(root, "package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  const commit = git("rev-parse", "--short=7", "HEAD");
  if (commit === undefined) return version;
  const changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "sim") !== "";
  return `${version}+${commit}${changed ? ".changed" : ""}`;
}

function git(...words: readonly string[]): string | undefined {
  try {
    const stdio: ["ignore", "pipe", "ignore"] = ["ignore", "pipe", "ignore"];
    return execFileSync("git", words, { cwd: root, encoding: "utf8", stdio }).trim();
  } catch {
    return undefined;
  }
}

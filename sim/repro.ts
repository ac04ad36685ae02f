/**
 * Repro: which one line says how to see a failure again?
 *
 *     seed:7/default@0.1.0+c15d7d4#5e707c6a2a625c5a
 *     plan:lost-bounce.json@0.1.0+c15d7d4#5e707c6a2a625c5a
 *
 * Seed and profile, or the file of a plan; the version of the code; the hash of the trace. The last two
 * may be missing. A seed stands for the same plan only as long as the generator is the same; a plan file
 * stays what it is. A bare number is a seed of the default profile, and any other word is a file.
 */
export interface Repro {
  readonly source:
    | { readonly type: "seed"; readonly seed: number; readonly profile: string }
    | { readonly type: "file"; readonly file: string };
  /** Empty: unknown. */
  readonly code: string;
  readonly hash: string;
}

export const defaultProfile = "default";

export function reproText({ source, code, hash }: Repro): string {
  const subject =
    source.type === "seed" ? `seed:${source.seed}/${source.profile}` : `plan:${source.file}`;
  const version = code === "" ? "" : `@${code}`;
  const fingerprint = hash === "" ? "" : `#${hash}`;
  return `${subject}${version}${fingerprint}`;
}

/** Undefined if it says `seed:` and then no seed. */
export function parseRepro(text: string): Repro | undefined {
  if (/^-?\d+$/.test(text)) return seedRepro(text, defaultProfile, "", "");
  const seed = /^seed:(-?\d+)(?:\/([a-z0-9-]+))?(?:@([^#@]+))?(?:#([0-9a-f]{16}))?$/.exec(text);
  if (seed !== null) {
    const [, digits = "", profile = defaultProfile, code = "", hash = ""] = seed;
    return seedRepro(digits, profile, code, hash);
  }
  if (text.startsWith("seed:") || text === "") return undefined;
  const plan = /^plan:(.+?)(?:@([^#@/\\]+))?(?:#([0-9a-f]{16}))?$/.exec(text);
  if (plan === null) return { source: { type: "file", file: text }, code: "", hash: "" };
  const [, file = "", code = "", hash = ""] = plan;
  return { source: { type: "file", file }, code, hash };
}

/** As one word of a command line. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./#-]+$/.test(text) && !text.startsWith("#")
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}

function seedRepro(digits: string, profile: string, code: string, hash: string): Repro | undefined {
  const seed = Number(digits);
  if (!Number.isSafeInteger(seed)) return undefined;
  return { source: { type: "seed", seed, profile }, code, hash };
}

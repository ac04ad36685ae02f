/** Subject: which run does the command line speak of? A seed, a repro, a plan file or a trace file. */
import { existsSync, readFileSync } from "node:fs";
import { planFromSeed, profiles, type ProfileName } from "../plan-from-seed.ts";
import { planProblem } from "../plan-problem.ts";
import type { Plan } from "../plan.ts";
import { defaultProfile, parseRepro, reproText, shellWord, type Repro } from "../repro.ts";
import { linesOf, readTrace, TraceFileProblem, type TraceFile } from "../trace-file.ts";

export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface Subject {
  readonly plan: Plan;
  readonly source: Repro["source"];
  /** The version of the code and the hash that the repro named; empty if it did not. */
  readonly code: string;
  readonly hash: string;
}

export interface SubjectFlags {
  readonly seed?: string;
  readonly plan?: string;
  readonly profile?: string;
}

/** `word`: what stood there without a flag, a seed or whatever `replay` takes. */
export function subjectOfFlags({ seed, plan, profile }: SubjectFlags, word?: string): Subject {
  if ([seed, plan, word].filter((said) => said !== undefined).length > 1) {
    throw new UsageError("Say --seed N, --plan FILE or a repro, one of them");
  }
  const repro = plan ?? word;
  const number = seed ?? (/^\d+$/.test(word ?? "") ? word : undefined);
  if (number !== undefined) return subjectOfSeed(integer(number), profile ?? defaultProfile);
  if (repro !== undefined) {
    if (profile === undefined) return subjectOfRepro(repro);
    throw new UsageError(`--profile is of a seed: "${repro}" says itself what it is`);
  }
  throw new UsageError("Say --seed N, --plan FILE or a repro");
}

export function subjectOfRepro(text: string): Subject {
  const repro = parseRepro(text);
  if (repro === undefined) {
    throw new UsageError(`"${text}" is no repro: seed:NUMBER/PROFILE, plan:FILE, or a plan's file`);
  }
  const { source, code, hash } = repro;
  if (source.type === "seed") return { ...subjectOfSeed(source.seed, source.profile), code, hash };
  if (!existsSync(source.file)) {
    throw new UsageError(
      `"${source.file}" is no file, and no repro either: seed:NUMBER/PROFILE, plan:FILE`,
    );
  }
  return { plan: planOfFile(source.file), source, code, hash };
}

export function subjectOfSeed(seed: number, profile: string): Subject {
  const plan = planFromSeed(seed, profileOf(profile));
  return { plan, source: { type: "seed", seed, profile }, code: "", hash: "" };
}

/** The line that repeats a run: `npm run sim -- replay seed:7/default@…#…`. */
export function repeatLine(source: Repro["source"], code: string, hash: string): string {
  return `npm run sim -- replay ${shellWord(reproText({ source, code, hash }))}`;
}

export function profileOf(name: string): (typeof profiles)[ProfileName] {
  if (!Object.hasOwn(profiles, name)) {
    throw new UsageError(`No profile "${name}"; there are ${Object.keys(profiles).join(", ")}`);
  }
  return profiles[name as ProfileName];
}

export function integer(text: string, option?: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(number)) {
    const needed = option === undefined ? "An integer is needed" : `${option} is an integer`;
    throw new UsageError(`${needed}, not "${text}"`);
  }
  return number;
}

/** What an option of this name counts: at least one, or `least`. */
export function countOf(option: string, text: string, least = 1): number {
  const number = integer(text, option);
  if (number < least) throw new UsageError(`${option} is ${least} or more, not ${number}`);
  return number;
}

/** A moment of virtual time: `12500` milliseconds, or `12.5s`. */
export function moment(text: string): number {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(text);
  if (seconds !== null) return Math.round(Number(seconds[1]) * 1_000);
  if (/^\d+$/.test(text)) return integer(text);
  throw new UsageError(`A time is 12500 (milliseconds) or 12.5s, not "${text}"`);
}

export function textOfFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? "?"}`);
  }
}

function planOfFile(file: string): Plan {
  const text = textOfFile(file);
  if (text.startsWith('{"trace":"meerkat"'))
    return readTraceText(file, linesOf(text).next().value ?? "").head.plan;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(
      `${file} is not JSON; a plan is (\`npm run sim -- plan --seed 7 plan.json\` makes one)`,
    );
  }
  const problem = planProblem(value);
  if (problem !== undefined) throw new UsageError(`${file}: ${problem}`);
  return value as Plan;
}

/** Reads a trace file; a `UsageError` names what is wrong with it. */
export function readTraceText(file: string, text: string): TraceFile {
  try {
    return readTrace(linesOf(text));
  } catch (error) {
    if (error instanceof TraceFileProblem) throw new UsageError(`${file}: ${error.message}`);
    throw error;
  }
}

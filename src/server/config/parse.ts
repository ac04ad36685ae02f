/**
 * Parse: a configuration file's text to a `Config`, or everything that is wrong with it at once.
 *
 * Pure: the environment and the files that secrets may come from are functions. Certificates are not
 * read here, so that a file can be checked on another machine than it will serve on.
 */
import { parse, TomlError } from "smol-toml";
import type { Config } from "../config.ts";
import { explain, pathText, type Problem } from "./explain.ts";
import { KeyLines } from "./key-lines.ts";
import { fileSchema } from "./schema.ts";
import { configOf } from "./values.ts";

export interface ConfigError {
  /** From 1. */
  readonly line: number;
  /** As in `listen.c2s[1].port`; empty if the text is no TOML. */
  readonly key: string;
  /** Completes a sentence that begins with the key. */
  readonly message: string;
}

export type ParsedConfig =
  | { readonly config: Config; readonly errors?: never }
  | { readonly config?: never; readonly errors: readonly ConfigError[] };

export function parseConfig(
  text: string,
  environment: (name: string) => string | undefined,
  readFile: (path: string) => string | undefined,
): ParsedConfig {
  let file: unknown;
  try {
    file = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ""] = error.message.replace("Invalid TOML document: ", "").split("\n");
    return { errors: [{ line: error.line, key: "", message: `not valid TOML: ${what}` }] };
  }
  const result = fileSchema.safeParse(file);
  if (!result.success) {
    return located(
      text,
      result.error.issues.flatMap((issue) => explain(issue, file)),
    );
  }
  const problems: Problem[] = [];
  const config = configOf(result.data, { environment, readFile }, problems);
  return problems.length > 0 ? located(text, problems) : { config };
}

function located(text: string, problems: readonly Problem[]): ParsedConfig {
  const lines = new KeyLines(text);
  const errors = problems.map(({ path, message }) => ({
    line: lines.line(path),
    key: pathText(path),
    message,
  }));
  return { errors: errors.toSorted((a, b) => a.line - b.line) };
}

/** One line, in the form that editors know how to jump to. */
export function configErrorText(file: string, { line, key, message }: ConfigError): string {
  return key === "" ? `${file}:${line}: ${message}` : `${file}:${line}: ${key} ${message}`;
}

/** Sources: values that the file only points at, in the environment or in files of their own. */
import type { Problem } from "./explain.ts";
import type { KeyPath } from "./key-lines.ts";

export interface Sources {
  readonly environment: (name: string) => string | undefined;
  readonly readFile: (path: string) => string | undefined;
}

export type Elsewhere = { readonly env: string } | { readonly file: string };

/** Empty, with a problem told, where it points at nothing. */
export function secretOf(
  secret: string | Elsewhere,
  path: KeyPath,
  { environment, readFile }: Sources,
  problems: Problem[],
): string {
  if (typeof secret === "string") return secret;
  if ("env" in secret) {
    const value = environment(secret.env);
    if (value !== undefined) return value;
    const message = `comes from the environment variable ${secret.env}, which is not set`;
    problems.push({ path: [...path, "env"], message });
    return "";
  }
  const value = readFile(secret.file);
  // The newline that every editor ends a file with is no part of a password.
  if (value !== undefined) return value.replace(/\r?\n$/, "");
  const message = `comes from the file ${secret.file}, which cannot be read`;
  problems.push({ path: [...path, "file"], message });
  return "";
}

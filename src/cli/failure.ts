/**
 * Failure: something that the person at the terminal must know, in words, and no stack trace.
 *
 * Thrown by verbs, printed by `main.ts`, which exits with `exitCode`. Any other error is a bug of ours
 * and keeps its trace.
 */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What the system says, without its name for it: `ECONNREFUSED` tells few people anything. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node wraps several refused addresses of one host name into one error without a message.
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const code = "code" in error ? String(error.code) : "";
  const known: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    EACCES: "permission is denied",
    EISDIR: "it is a folder",
    EADDRINUSE: "another program is using it",
    EADDRNOTAVAIL: "this machine has no such address",
    ECONNREFUSED: "the connection is refused",
    ENOTFOUND: "there is no such host",
    ETIMEDOUT: "it does not answer",
  };
  return known[code] ?? error.message.split("\n")[0] ?? code;
}

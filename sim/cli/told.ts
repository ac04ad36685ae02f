/** Told: what does somebody read when a command comes to no good end, and with which exit code? */
import { UsageError } from "./subject.ts";

/** Prints it. 2: the command could not be understood, or a file not be had; 1: whatever else. */
export function told(error: unknown): 1 | 2 {
  const fault = error instanceof UsageError ? error.message : fileProblem(error);
  console.error(fault ?? error);
  return fault === undefined ? 1 : 2;
}

/** A file that cannot be read or written is no bug of ours: no stack. */
function fileProblem(error: unknown): string | undefined {
  const { code, path } = error as NodeJS.ErrnoException;
  return code === undefined || path === undefined ? undefined : `${path}: ${code}`;
}

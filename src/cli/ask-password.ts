/** AskPassword: a line that is not shown while it is typed; from a pipe, simply its first line. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { Failure } from "./failure.ts";

export async function askPassword(question: string): Promise<string> {
  const terminal = process.stdin.isTTY;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal });
  if (terminal) process.stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      lines.once("SIGINT", () => reject(new Failure("", 130)));
      lines.once("close", () => reject(new Failure("No password was given.")));
    });
  } finally {
    lines.close();
    if (terminal) process.stderr.write("\n");
  }
}

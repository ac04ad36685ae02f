/** Verify: does a recorded node's core do the same again, without sockets and database? */
import { verify } from "../../src/server/recording.ts";
import { recordingCrypto } from "./ports.ts";
import { textOfFile } from "./subject.ts";

export function verifyFile(file: string): { readonly equal: boolean; readonly text: string } {
  const verdict = verify(lines(textOfFile(file)), recordingCrypto());
  if (verdict.equal) {
    return { equal: true, text: `equal: ${verdict.inputs} inputs, effects ${verdict.hash}` };
  }
  return { equal: false, text: `${file}:${verdict.line}: ${verdict.reason}` };
}

function* lines(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    const stop = end === -1 ? text.length : end;
    yield text.slice(start, stop);
    start = stop + 1;
  }
}

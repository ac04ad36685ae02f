/**
 * RecordingFile: the flight recorder's file, which must never harm the node that it records.
 *
 * A disk that is full, or too slow for what is written, ends the recording, not the node: the file is
 * then cut short, which `sim verify` says of it.
 */
import { createWriteStream, openSync } from "node:fs";
import { finished } from "node:stream/promises";
import type { Log } from "../ports/log.ts";
import type { Recorder } from "../server/recorder.ts";
import { Failure, reasonOf } from "./failure.ts";

/** Bytes that may wait for the disk. */
const waitingMax = 256 * 1024 * 1024;
const advice = "the node goes on without it, and the file ends here";

export interface RecordingFile {
  readonly recorder: Recorder;
  begin(make: (write: (line: string) => void) => Recorder): void;
  close(): Promise<void>;
}

export function openRecording(file: string, log: Log): RecordingFile {
  let descriptor: number;
  try {
    // It holds what users wrote: nobody else may read it.
    descriptor = openSync(file, "w", 0o600);
  } catch (error) {
    throw new Failure(`Cannot write the recording ${file}: ${reasonOf(error)}.`);
  }
  const stream = createWriteStream(file, { fd: descriptor });
  let writer: Recorder | undefined;
  let failed = false;
  const fail = (reason: string): void => {
    if (failed) return;
    failed = true;
    writer = undefined;
    log.write("error", "recording-ended", { file, reason, advice });
    stream.destroy();
  };
  stream.on("error", (error) => fail(reasonOf(error)));
  const write = (line: string): void => {
    if (failed) return;
    stream.write(`${line}\n`);
    if (stream.writableLength > waitingMax) fail(`${waitingMax} bytes wait for the disk`);
  };
  return {
    recorder: {
      input: (now, input) => writer?.input(now, input),
      entropy: (bytes) => writer?.entropy(bytes),
      effects: (effects) => writer?.effects(effects),
    },
    begin(make): void {
      writer = make(write);
    },
    async close(): Promise<void> {
      if (failed) return;
      stream.end();
      await finished(stream).catch((error: unknown) => fail(reasonOf(error)));
    },
  };
}

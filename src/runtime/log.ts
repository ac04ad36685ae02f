/**
 * Log: structured lines to standard output, JSON for machines, or readable where a person looks on
 * and pino-pretty is installed.
 */
import { createRequire } from "node:module";
import { pino, type DestinationStream, type Logger } from "pino";
import type { Log, LogFields, LogLevel } from "../ports/log.ts";

export type LogThreshold = LogLevel | "none";

export class PinoLog implements Log {
  readonly #logger: Logger;

  /** `fields` are on every line. */
  constructor(level: LogThreshold, destination?: DestinationStream, fields?: LogFields) {
    const options = {
      level: level === "none" ? "silent" : pinoLevel(level),
      // Process id and host name are known to whoever collects the lines.
      base: fields === undefined ? null : { ...fields },
      messageKey: "event",
      formatters: { level: (label: string) => ({ level: label === "warn" ? "warning" : label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    };
    this.#logger = pino(options, destination ?? standardOutput());
  }

  write(level: LogLevel, event: string, fields: LogFields = {}): void {
    this.#logger[pinoLevel(level)](fields, event);
  }
}

function pinoLevel(level: LogLevel): "debug" | "info" | "warn" | "error" {
  return level === "warning" ? "warn" : level;
}

function standardOutput(): DestinationStream {
  const plain = () => pino.destination({ fd: 1, sync: true });
  if (!process.stdout.isTTY) return plain();
  try {
    const pretty = createRequire(import.meta.url)("pino-pretty") as (
      options: object,
    ) => DestinationStream;
    return pretty({ colorize: true, messageKey: "event", sync: true });
  } catch {
    return plain(); // a production install has no pino-pretty
  }
}

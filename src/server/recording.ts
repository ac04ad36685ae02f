/**
 * Recording: a flight recorder's file, written and verified.
 *
 * One JSON value a line. The first describes the node; then, in the order of the loop, what the core
 * learned (`i` inputs, `e` entropy drawn) and after each step a rolling hash (`h`) over all lines so
 * far and the effects of the step. So a recording proves two things: that it was not altered, and that
 * the same core gives the same effects again. **It contains user data**: every byte clients sent.
 */
import { bytesFromText, fromBase64, toBase64, toHex } from "../base/bytes.ts";
import type { Now } from "../base/time.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Config } from "./config.ts";
import type { WorldEffect, WorldInput } from "./effects.ts";
import type { Recorder } from "./recorder.ts";
import { server, version } from "./server.ts";

const format = "meerkat-recording/1";

interface Header {
  readonly format: string;
  readonly version: string;
  readonly config: Config;
  readonly falseSaltSecret: Uint8Array;
}

type Line =
  | { readonly i: WorldInput; readonly at: number; readonly wall: number }
  | { readonly e: Uint8Array }
  | { readonly h: string };

/**
 * Bytes become `{"$bytes": base64}`; everything else is JSON already. `this` holds the value as it was
 * before its `toJSON`: the bytes that the platform hands us have one of their own.
 */
function encode(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, item: unknown) {
    const original = this[key];
    return original instanceof Uint8Array ? { $bytes: toBase64(original) } : item;
  });
}

function decode(line: string): unknown {
  return JSON.parse(line, (_key, item: unknown) => {
    if (typeof item !== "object" || item === null || !("$bytes" in item)) return item;
    const bytes = typeof item.$bytes === "string" ? fromBase64(item.$bytes) : undefined;
    return bytes ?? item;
  });
}

/** Hash of everything so far, one block after another. */
class Rolling {
  readonly #crypto: Crypto;
  #value = "";

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  add(text: string): void {
    const block = bytesFromText(`${this.#value}\n${text}`);
    this.#value = toHex(this.#crypto.hash("sha-256", block)).slice(0, 32);
  }

  get value(): string {
    return this.#value;
  }
}

/** HMAC-SHA-256 */
const proofBytes = 32;

export class RecordingWriter implements Recorder {
  readonly #write: (line: string) => void;
  readonly #rolling: Rolling;

  /** `write` is given whole lines without the line feed. */
  constructor(options: {
    readonly config: Config;
    readonly falseSaltSecret: Uint8Array;
    readonly crypto: Crypto;
    readonly write: (line: string) => void;
  }) {
    this.#write = options.write;
    this.#rolling = new Rolling(options.crypto);
    const { rdbms, cluster } = options.config;
    const config: Config = {
      ...options.config,
      rdbms: { ...rdbms, password: "" },
      cluster: cluster && { ...cluster, secret: "" },
    };
    const { falseSaltSecret } = options;
    this.#put({ format, version, config, falseSaltSecret });
  }

  input(now: Now, input: WorldInput): void {
    this.#put({ i: input, at: now.at, wall: now.wall });
  }

  entropy(bytes: Uint8Array): void {
    this.#put({ e: bytes });
  }

  effects(effects: readonly WorldEffect[]): void {
    this.#rolling.add(encode(effects));
    this.#write(`{"h":"${this.#rolling.value}"}`);
  }

  #put(value: Header | Line): void {
    const line = encode(value);
    this.#rolling.add(line);
    this.#write(line);
  }
}

export type Verdict =
  | { readonly equal: true; readonly inputs: number; readonly hash: string }
  | {
      readonly equal: false;
      /** Line of the file, from 1. */
      readonly line: number;
      readonly reason: string;
    };

/** Feeds a recording to the same core, without sockets or database. */
export function verify(lines: Iterable<string>, crypto: Crypto): Verdict {
  const replay = new Replay(crypto);
  let number = 0;
  for (const text of lines) {
    number += 1;
    if (text === "") continue;
    const reason = replay.take(text);
    if (reason !== undefined) return { equal: false, line: number, reason };
  }
  return replay.verdict(number);
}

/**
 * A step draws entropy while it runs, but its `e` lines follow its `i` line: so a step runs once its `h`
 * line has been reached and all that it may draw is known.
 */
class Replay {
  readonly #crypto: Crypto;
  readonly #rolling: Rolling;
  #loop: ReturnType<typeof server>["loop"] | undefined;
  #effects: WorldEffect[] = [];
  #drawn: Uint8Array[] = [];
  #pending: { now: Now; input: WorldInput } | undefined;
  #inputs = 0;
  #fault: string | undefined;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
    this.#rolling = new Rolling(crypto);
  }

  /** Takes one line; returns what is wrong with it. */
  take(text: string): string | undefined {
    let value: unknown;
    try {
      value = decode(text);
    } catch {
      return "This line is not JSON: the recording was cut or altered here";
    }
    if (typeof value !== "object" || value === null) return "This line is not an object";
    if (this.#loop === undefined) return this.#start(text, value as Header);
    const line = value as Line;
    if ("h" in line) return this.#step(line.h);
    this.#rolling.add(text);
    if ("e" in line) {
      if (this.#pending === undefined) return "Entropy was drawn outside a step";
      this.#drawn.push(line.e);
    } else if ("i" in line) {
      if (this.#pending !== undefined) return "The hash of the step before is missing";
      this.#pending = { now: { at: line.at, wall: line.wall }, input: line.i };
    } else return "This line is neither input, entropy nor hash";
    return undefined;
  }

  verdict(lines: number): Verdict {
    if (this.#loop === undefined) return { equal: false, line: 1, reason: "The file is empty" };
    if (this.#pending !== undefined) {
      return { equal: false, line: lines, reason: "The recording ends within a step" };
    }
    return { equal: true, inputs: this.#inputs, hash: this.#rolling.value };
  }

  #start(text: string, header: Header): string | undefined {
    if (header.format !== format) return `Not a recording of format ${format}`;
    if (header.version !== version) {
      return `Recorded by version ${header.version}; this is ${version}`;
    }
    this.#rolling.add(text);
    const nothing = (): void => undefined;
    const { falseSaltSecret } = header;
    const recorder: Recorder = {
      input: nothing,
      entropy: nothing,
      effects: (effects) => void (this.#effects = [...effects]),
    };
    const { loop } = server({
      config: header.config,
      recorder,
      onStopped: nothing,
      falseSaltSecret,
      ports: {
        network: {
          write: nothing,
          ping: nothing,
          startTls: nothing,
          dial: nothing,
          pauseReading: nothing,
          resumeReading: nothing,
          close: nothing,
        },
        database: { query: nothing },
        http: { respond: nothing },
        resolver: { resolve: nothing, readFile: nothing },
        log: { write: nothing },
        crypto: {
          hash: (name, data) => this.#crypto.hash(name, data),
          // With the cluster's secret, which is not written down: its proofs are.
          hmac: (name, key, data) =>
            key.length === 0 ? this.#draw(proofBytes) : this.#crypto.hmac(name, key, data),
          equal: (a, b) => this.#crypto.equal(a, b),
          deriveKey: nothing,
        },
        entropy: { bytes: (count) => this.#draw(count) },
      },
    });
    this.#loop = loop;
    return undefined;
  }

  #draw(count: number): Uint8Array {
    const bytes = this.#drawn.shift();
    if (bytes !== undefined && bytes.length === count) return bytes;
    this.#fault ??= `The core drew ${count} bytes of entropy, the recording has ${bytes?.length ?? 0}`;
    return new Uint8Array(count);
  }

  #step(hash: string): string | undefined {
    const pending = this.#pending;
    if (pending === undefined) return "A hash without a step before it";
    this.#pending = undefined;
    this.#inputs += 1;
    this.#loop?.deliver(pending.now, pending.input);
    const what = `input ${this.#inputs} (${pending.input.type})`;
    if (this.#fault !== undefined) return `${this.#fault}, at ${what}`;
    if (this.#drawn.length > 0) return `The core drew less entropy than was recorded, at ${what}`;
    this.#rolling.add(encode(this.#effects));
    if (this.#rolling.value === hash) return undefined;
    return `The recording or the core's effects differ at ${what}`;
  }
}

/** A link's window on lines that carry little, much, far, and with pauses: what flows, and how long a login waits. */
import { expect, test } from "vitest";
import { bytesFromBinary } from "../../src/base/bytes.ts";
import { readerOf } from "../../src/cluster/codec.ts";
import { LinkSession } from "../../src/cluster/link-session.ts";
import { leastWindowBytes, LinkWindow, spareDelay } from "../../src/cluster/link-window.ts";
import { kinds } from "../../src/cluster/messages.ts";
import { linkLimits } from "../../src/cluster/timing.ts";
import { FrameReader } from "../../src/cluster/wire.ts";
import { peerNamed } from "./mesh-scripted-peer.ts";

interface LineOptions {
  /** Bytes a millisecond, to the peer; what comes back is little. */
  readonly rate: number;
  readonly roundTrip: number;
  /** Bytes of each message of a flood that never ends. */
  readonly message?: number;
  readonly pausedAt?: (now: number) => boolean;
}

const session = (): LinkSession =>
  new LinkSession({ id: "", peer: peerNamed("z"), ordinal: 1, limits: linkLimits });

/** Stanzas without end over a line that takes what it is given, and keeps what it cannot carry yet. */
class Line {
  readonly #options: LineOptions;
  readonly #from = session();
  readonly #to = session();
  readonly #reader = new FrameReader(100_000);
  readonly #acks = new FrameReader(100_000);
  readonly #under: { at: number; bytes: Uint8Array }[] = [];
  readonly #back: { at: number; bytes: Uint8Array }[] = [];
  #now = 0;
  #freeAt = 0;
  /** Bytes of messages that have arrived, and how many tables' messages. */
  carried = 0;
  tables = 0;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  run(ms: number): this {
    for (const end = this.#now + ms; this.#now < end; this.#now += 1) {
      this.#write();
      if (this.#options.pausedAt?.(this.#now) !== true) this.#arrive();
      this.#acknowledge();
    }
    return this;
  }

  /** How long a login waits that is written now: until it has arrived, and its receipt is back. */
  login(): number {
    const [before, asked] = [this.tables, this.#now];
    this.#from.send(kinds.operations, "x".repeat(200));
    while (this.tables === before && this.#now < asked + 60_000) this.run(1);
    return this.#now - asked + this.#options.roundTrip / 2;
  }

  /** Of what the line could carry, in so long from now on. */
  share(ms: number): number {
    const before = this.carried;
    this.run(ms);
    return (this.carried - before) / (ms * this.#options.rate);
  }

  #write(): void {
    const { rate, roundTrip, message = 1_000 } = this.#options;
    while (this.#from.queues.bytes < 2_000_000) {
      this.#from.send(kinds.stanza, "x".repeat(message));
    }
    for (let out = this.#next(); out !== ""; out = this.#next()) {
      this.#freeAt = Math.max(this.#now, this.#freeAt);
      for (let start = 0; start < out.length; start += 1_460) {
        const bytes = bytesFromBinary(out.slice(start, start + 1_460));
        this.#freeAt += bytes.length / rate;
        this.#under.push({ at: this.#freeAt + roundTrip / 2, bytes });
      }
    }
  }

  #next(): string {
    return this.#from.write(undefined, this.#now);
  }

  #arrive(): void {
    for (let next = this.#under[0]; next && next.at <= this.#now; next = this.#under[0]) {
      this.#under.shift();
      this.#reader.push(next.bytes);
      while (this.#reader.next()) {
        if (this.#reader.kind === kinds.ask) this.#to.askedForAck();
        else this.#take();
      }
    }
    if (this.#to.ackIsDue()) {
      const bytes = bytesFromBinary(this.#to.ack());
      this.#back.push({ at: this.#now + this.#options.roundTrip / 2, bytes });
    }
  }

  #take(): void {
    this.#to.receive(this.#reader);
    if (this.#reader.kind === kinds.operations) this.tables += 1;
    this.carried += this.#reader.bytes;
  }

  #acknowledge(): void {
    for (let next = this.#back[0]; next && next.at <= this.#now; next = this.#back[0]) {
      this.#back.shift();
      this.#acks.push(next.bytes);
      while (this.#acks.next()) {
        this.#from.acknowledged(readerOf(this.#acks.body).uint(), this.#now);
      }
    }
  }
}

/** The longest of logins at moments that follow no pattern of the line's. */
function longestLogin(line: Line): number {
  let longest = 0;
  for (let count = 1; count <= 12; count += 1) {
    line.run(17 * count);
    longest = Math.max(longest, line.login());
  }
  return longest;
}

const lines = [
  { name: "60 KB a second", rate: 60, roundTrip: 20, settles: 3_000, waits: 700 },
  { name: "60 KB a second, far away", rate: 60, roundTrip: 200, settles: 3_000, waits: 900 },
  { name: "20 KB a second", rate: 20, roundTrip: 50, settles: 5_000, waits: 1_200 },
  { name: "1 MB a second", rate: 1_000, roundTrip: 20, settles: 500, waits: 400 },
  { name: "5 MB a second, far away", rate: 5_000, roundTrip: 100, settles: 500, waits: 400 },
  { name: "20 MB a second, near", rate: 20_000, roundTrip: 2, settles: 100, waits: 100 },
];

test.each(lines)("window: $name are used, and no login waits for more than a moment", (line) => {
  const { rate, roundTrip, settles, waits } = line;
  for (const message of rate < 5_000 ? [500, 5_000, 200_000] : [5_000, 200_000]) {
    const flood = new Line({ rate, roundTrip, message }).run(settles);
    expect(flood.share(rate < 500 ? 10_000 : 500)).toBeGreaterThan(0.9);
    expect(longestLogin(flood)).toBeLessThan(waits);
  }
});

test("window: a round trip longer than what may wait costs some of the line, not most", () => {
  for (const message of [500, 5_000, 200_000]) {
    const flood = new Line({ rate: 100, roundTrip: 700, message }).run(10_000);
    expect(flood.share(20_000)).toBeGreaterThan(0.6);
  }
});

test("window: the first login on a narrow line waits for little more than the second", () => {
  expect(new Line({ rate: 60, roundTrip: 20 }).run(1).login()).toBeLessThan(1_300);
});

test("window: a peer that pauses costs its pause", () => {
  const pausedAt = (now: number): boolean => now >= 1_000 && now < 3_000;
  const flood = new Line({ rate: 5_000, roundTrip: 20, message: 5_000, pausedAt }).run(3_200);
  expect(flood.share(1_000)).toBeGreaterThan(0.9);
});

test("window: a line that has become narrow is known to be after one window", () => {
  const options = { rate: 5_000, roundTrip: 20, message: 5_000 };
  const flood = new Line(options).run(1_000);
  options.rate = 60;
  flood.run(20_000);
  expect(longestLogin(flood)).toBeLessThan(700);
  options.rate = 5_000;
  flood.run(2_000);
  expect(flood.share(1_000)).toBeGreaterThan(0.9);
});

test("window: it begins small, and little that is acknowledged in time makes it no smaller", () => {
  const window = new LinkWindow(1_048_576);
  const first = window.bytes;
  expect(first).toBeLessThan(100_000);
  expect(window.wrote(0, 1, first, first)).toBe(true);
  window.acknowledged(1, 1);
  expect(window.bytes).toBe(1_048_576);
  expect(window.wrote(10, 2, 262_144, 1_000)).toBe(true);
  window.acknowledged(10 + spareDelay, 2);
  expect(window.bytes).toBe(1_048_576);
  expect(window.wrote(1_000, 3, 262_144, 1_000)).toBe(true);
  window.acknowledged(2_000, 3);
  expect(window.bytes).toBe(leastWindowBytes);
  window.resumed();
  expect(window.bytes).toBe(first);
});

test("window: what is full is asked for once, until that is acknowledged", () => {
  const window = new LinkWindow(10_000);
  expect(window.isFull(0, 0)).toBe(false);
  expect(window.isFull(0, 3)).toBe(true);
  expect(window.isFull(2, 5)).toBe(false);
  expect(window.isFull(3, 5)).toBe(true);
});

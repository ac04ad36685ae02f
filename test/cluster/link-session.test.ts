/** Numbers, windows, fragments and acknowledgements of one session. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { binaryFromBytes, bytesFromBinary } from "../../src/base/bytes.ts";
import { uint, WireReader } from "../../src/cluster/codec.ts";
import { LinkQueues, type Outgoing } from "../../src/cluster/link-queues.ts";
import { LinkSession } from "../../src/cluster/link-session.ts";
import { classes, kinds, type Message } from "../../src/cluster/messages.ts";
import { RetainedFrames, retainedOverhead } from "../../src/cluster/retained-frames.ts";
import { linkLimits } from "../../src/cluster/timing.ts";
import { controlFrame, FrameReader, numberedFrame } from "../../src/cluster/wire.ts";
import { muchBytes, occupied, partOfMuch } from "../support/heap.ts";
import { Bench, peerNamed } from "./mesh-scripted-peer.ts";

const z = peerNamed("z");
const limits = {
  ...linkLimits,
  windowBytes: 10_000,
  fragmentBytes: 1_000,
  messagesPerChunk: 3_000,
};
const session = (more = {}): LinkSession =>
  new LinkSession({ id: "", peer: z, ordinal: 1, limits: { ...limits, ...more } });

test("link: bodies of any size arrive whole through any window, chunks between them", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3_000), { maxLength: 20 }),
      fc.integer({ min: 1, max: 12_000 }),
      fc.integer({ min: 20, max: 1_500 }),
      fc.array(fc.nat(900), { maxLength: 10 }),
      (sizes, windowBytes, fragmentBytes, chunkSizes) => {
        const own = { windowBytes, fragmentBytes, ackBytes: 500, ackFrames: 3 };
        const [from, to] = [session(own), session(own)];
        const sent = sizes.map((size, at) => `${at}:`.padEnd(size, "m"));
        const chunks = chunkSizes.map((size, at) => `${at}:`.padEnd(size, "c"));
        const left = [...chunks];
        const source = {
          pull: (): Message | undefined => {
            const body = left.shift();
            return body === undefined ? undefined : { kind: kinds.chunk, body };
          },
        };
        for (const body of sent) from.send(kinds.stanza, body);
        const got: string[] = [];
        const gotChunks: string[] = [];
        const reader = new FrameReader(100_000);
        for (let turns = 0; turns < 10_000; turns += 1) {
          const out = from.write(source);
          if (out === "") break;
          reader.push(bytesFromBinary(out));
          while (reader.next()) {
            const body = to.receive(reader);
            if (body === undefined) continue;
            (reader.kind === kinds.chunk ? gotChunks : got).push(binaryFromBytes(body.bytes));
          }
          to.ack();
          from.acknowledged(to.received);
        }
        expect([got.join() === sent.join(), gotChunks.join() === chunks.join()]).toEqual([
          true,
          true,
        ]);
        expect([got.length, from.queues.length, from.unackedBytes]).toEqual([sent.length, 0, 0]);
      },
    ),
    { numRuns: 60 },
  );
});

test("link: no more than the window waits for acknowledgements; each makes room", () => {
  const one = session();
  for (let count = 0; count < 50; count += 1) one.send(kinds.stanza, "x".repeat(900));
  one.write(undefined);
  expect([one.written, one.unackedBytes, one.queues.length]).toEqual([10, 9_630, 40]);
  expect(one.write(undefined)).toBe("");
  one.acknowledged(3);
  one.write(undefined);
  expect(one.written).toBe(13);
  expect(one.undelivered().length).toBe(47);
});

test("link: chunks are made only when the wire has room and messages have gone first", () => {
  const one = session({ messagesPerChunk: 1_000_000 });
  const asked: number[] = [];
  const source = {
    pull: (_: unknown, written: number) => {
      asked.push(written);
      return { kind: kinds.chunk, body: "c".repeat(900) };
    },
  };
  for (let count = 0; count < 4; count += 1) one.send(kinds.operations, "x".repeat(900));
  one.write(source);
  expect(asked).toEqual([4, 4, 4, 4, 4, 4]); // 10 frames of 963 bytes fill the window
  one.write(source);
  expect(asked.length).toBe(6);
  one.acknowledged(5);
  one.write(source);
  expect(asked.length).toBe(11);
});

test("link: a sync does not fill the window: writes find little on their way to the peer", () => {
  const one = session({ windowBytes: 100_000, syncWindowBytes: 4_000, pieceBytes: 1_000_000 });
  let chunks = 0;
  const source = {
    pull: (): Message => {
      chunks += 1;
      return { kind: kinds.chunk, body: "c".repeat(900) };
    },
  };
  one.write(source);
  expect(chunks).toBe(4);
  one.send(kinds.stanza, "x");
  expect(one.write(source)).not.toBe("");
  expect([chunks, one.queues.length]).toEqual([4, 0]);
  one.acknowledged(2);
  one.write(source);
  expect(chunks).toBe(6);
});

test("link: small chunks fill what a sync may have, however large a fragment may be", () => {
  const one = session({ windowBytes: 100_000, syncWindowBytes: 2_000, fragmentBytes: 65_536 });
  const pull = (): Message => ({ kind: kinds.chunk, body: "c".repeat(100) });
  one.write({ pull });
  expect(one.written).toBe(7); // until half of it is under way
  const other = session({ windowBytes: 100_000, syncWindowBytes: 2_000, fragmentBytes: 65_536 });
  other.write({ pull, bytesMax: 100 });
  expect(other.written).toBe(12); // of 164 bytes each
});

test("link: a sync goes on while there is always something under way", () => {
  const one = session({ windowBytes: 65_536, syncWindowBytes: 65_536, fragmentBytes: 65_536 });
  const source = { pull: (): Message => ({ kind: kinds.chunk, body: "c".repeat(100) }) };
  one.send(kinds.stanza, "x".repeat(100));
  one.write(undefined);
  one.write(source);
  expect(one.written).toBeGreaterThan(100);
});

test("link: what may go out leaves in pieces, and nothing is left behind", () => {
  const one = session({ windowBytes: 1_000_000, pieceBytes: 2_500 });
  for (let count = 0; count < 10; count += 1) one.send(kinds.stanza, "x".repeat(900));
  const pieces: number[] = [];
  for (let out = one.write(undefined); out !== ""; out = one.write(undefined)) {
    pieces.push(out.length);
  }
  expect(pieces.length).toBe(4);
  expect(Math.max(...pieces)).toBeLessThan(2_500 + 1_000);
  expect(one.queues.length).toBe(0);
});

test("link: messages do not starve a sync", () => {
  const one = session({ windowBytes: 1_000_000 });
  const source = { pull: () => ({ kind: kinds.chunk, body: "c" }) };
  for (let count = 0; count < 30; count += 1) one.send(kinds.stanza, "x".repeat(999));
  const reader = new FrameReader(10_000);
  reader.push(bytesFromBinary(one.write(source)));
  const order: number[] = [];
  while (reader.next() && order.length < 12) order.push(reader.kind);
  const [m, c] = [kinds.stanza, kinds.chunk];
  expect(order).toEqual([m, m, m, m, c, m, m, m, m, c, m, m]);
});

test("link: after 128 frames or 64 KiB an acknowledgement is due, else the next heartbeat has it", () => {
  const bench = new Bench();
  const peer = bench.arrive(z);
  peer.enter();
  const acks = (): number[] =>
    peer.frames
      .filter(({ kind }) => kind === kinds.ack)
      .map(({ body }) => new WireReader(bytesFromBinary(body)).uint());
  for (let number = 1; number < 128; number += 1) peer.message(number, "x");
  expect(acks()).toEqual([]);
  peer.message(128, "x");
  expect(acks()).toEqual([128]);
  peer.message(129, "x".repeat(60_000));
  peer.message(130, "x".repeat(10_000));
  expect(acks()).toEqual([128, 130]);
  peer.message(131, "x");
  bench.mesh.send(z, kinds.stanza, "traffic");
  bench.flush();
  expect(acks()).toEqual([128, 130, 131]);
});

test("link: an acknowledgement opens the window at the next flush", () => {
  const bench = new Bench({ limits: { ...linkLimits, windowBytes: 200, fragmentBytes: 100 } });
  const peer = bench.arrive(z);
  peer.enter();
  for (let count = 0; count < 5; count += 1) bench.mesh.send(z, kinds.stanza, "x".repeat(30));
  bench.flush();
  expect(peer.numbered().length).toBe(2);
  peer.ack(1);
  expect(peer.numbered().length).toBe(3);
});

test("link: a full queue is told once, drained below its half, and ends the session at twice its size", () => {
  const small = { ...linkLimits, windowBytes: 1_000, queueBytes: 10_000 };
  const bench = new Bench({ limits: small });
  const peer = bench.arrive(z);
  peer.enter();
  for (let count = 0; count < 16; count += 1) bench.mesh.send(z, kinds.stanza, "x".repeat(900));
  bench.flush();
  expect([bench.of("queue-full").length, bench.of("queue-drained").length]).toEqual([1, 0]);
  for (let number = 1; number < 9; number += 1) peer.ack(number);
  expect(bench.of("queue-drained").length).toBe(0);
  for (let number = 9; number < 12; number += 1) peer.ack(number);
  expect(bench.of("queue-drained").length).toBe(1);
  let refused = 0;
  for (let count = 0; count < 40; count += 1) {
    if (bench.mesh.send(z, kinds.stanza, "x".repeat(900)) === undefined) refused += 1;
  }
  bench.flush();
  expect(refused).toBeGreaterThan(0);
  expect([bench.of("queue-full").length, bench.of("peer-down").length]).toEqual([2, 1]);
  // 16 + 40 - refused were taken, 11 acknowledged: the rest is handed back.
  expect(bench.of("peer-down")[0]?.undelivered.length).toBe(56 - refused - 11);
});

test("link: what waits, and what was written and may be sent again, keeps nothing alive that it was a part of", () => {
  const bench = new Bench({ limits: { ...linkLimits, windowBytes: 10_000 } });
  bench.arrive(z).enter();
  const before = occupied();
  const stanzas = 100;
  for (let count = 0; count < stanzas; count += 1) {
    bench.mesh.send(z, kinds.stanza, partOfMuch());
    if (count % 10 === 0) bench.flush();
  }
  bench.flush();
  bench.effects.length = 0;
  const [link] = bench.mesh.status();
  expect(link?.unackedBytes).toBeGreaterThan(5_000);
  expect(link?.queuedMessages).toBeGreaterThan(50);
  expect(occupied() - before).toBeLessThan((stanzas * muchBytes) / 10);
});

test("link: who asks has its acknowledgement at the end of the turn, once", () => {
  const bench = new Bench();
  const peer = bench.arrive(z);
  peer.enter();
  const ask = controlFrame(kinds.ask, "");
  peer.raw(ask);
  expect(peer.kinds()).not.toContain(kinds.ack);
  peer.raw(numberedFrame(kinds.stanza, classes.stanzas, 1, "x") + ask);
  peer.raw(ask);
  expect(peer.frames.filter(({ kind }) => kind === kinds.ack)).toHaveLength(1);
});

test("link: it asks after every quarter of what it may let out, and lets out no more than that", () => {
  const bench = new Bench();
  const peer = bench.arrive(z);
  peer.enter();
  for (let count = 0; count < 200; count += 1) bench.mesh.send(z, kinds.stanza, "x".repeat(10_000));
  bench.flush();
  const written = (): number => peer.numbered().length;
  expect(written()).toBe(6); // 64 KiB, until it is known what the line carries
  expect(peer.kinds().filter((kind) => kind === kinds.ask)).toHaveLength(3);
  bench.now += 10;
  peer.ack(6);
  expect(written()).toBe(108); // 1 MiB, less the room of a chunk that may come
  bench.now += 5_000;
  peer.ack(100);
  expect(written()).toBe(108);
  peer.ack(108);
  expect(written()).toBe(112); // what this line carries
  // A new connection may be another line.
  peer.close();
  const again = bench.arrive(z);
  again.enter({ session: peer.session(), received: 112 });
  expect(again.numbered()).toHaveLength(6);
});

test("link: kinds from 128 on that nobody knows are acknowledged and ignored, lower ones end the session", () => {
  const bench = new Bench();
  const peer = bench.arrive(z);
  peer.enter();
  peer.message(1, "from the future", 200);
  peer.message(2, "known");
  expect(bench.of("message-received").map(({ kind }) => kind)).toEqual([kinds.stanza]);
  bench.run(1_000);
  expect(peer.frames.at(-1)?.body.startsWith("\x02")).toBe(true);
  peer.message(3, "essential", 99);
  expect([peer.closed, peer.frames.at(-1)?.kind]).toEqual([true, kinds.refused]);
  expect(bench.of("peer-down").length).toBe(1);
});

test("link: gaps, acknowledgements of what was not sent and frames out of place end the session", () => {
  const bad = {
    gap: numberedFrame(kinds.stanza, classes.stanzas, 2, "x"),
    ack: controlFrame(kinds.ack, uint(1)),
    beat: controlFrame(kinds.beat, ""),
    hello: controlFrame(kinds.hello, ""),
    "numbered hello": numberedFrame(kinds.hello, classes.stanzas, 1, ""),
    giant: "\x00\x10\x00\x00",
    "two kinds in one body":
      numberedFrame(kinds.stanza, classes.stanzas, 1, "x", true) +
      numberedFrame(kinds.have, classes.stanzas, 2, "x"),
  };
  for (const [name, bytes] of Object.entries(bad)) {
    const bench = new Bench();
    const peer = bench.arrive(z);
    peer.enter();
    peer.raw(bytes);
    expect([name, peer.closed, bench.of("peer-down").length]).toEqual([name, true, 1]);
  }
});

test("link: what comes twice is handed up once", () => {
  const bench = new Bench();
  const first = bench.arrive(z);
  first.enter();
  first.message(1, "one");
  const again = bench.arrive(z, { hello: { session: first.session(), received: 0, dial: 9 } });
  again.enter();
  expect(again.theirs().hello.received).toBe(1);
  again.message(1, "one");
  again.message(2, "two");
  const bodies = bench.of("message-received").map(({ body }) => binaryFromBytes(body.bytes));
  expect(bodies).toEqual(["one", "two"]);
});

test("link: a message cut by a break goes on where it was", () => {
  const bench = new Bench({ limits: { ...linkLimits, fragmentBytes: 10 } });
  const first = bench.arrive(z);
  first.enter();
  bench.mesh.send(z, kinds.stanza, "0123456789abcdefghijKLM");
  bench.flush();
  first.raw(numberedFrame(kinds.stanza, classes.stanzas, 1, "ab", true));
  first.close();
  const again = bench.arrive(z, { hello: { session: first.session(), received: 1 } });
  again.enter();
  expect(again.numbered().map(({ body, more }) => [body, more])).toEqual([
    ["abcdefghij", true],
    ["KLM", false],
  ]);
  again.message(2, "cd");
  expect(bench.of("message-received").map(({ body }) => binaryFromBytes(body.bytes))).toEqual([
    "abcd",
  ]);
});

test("link: a message that was received in part only is handed back whole", () => {
  const one = session();
  one.send(kinds.stanza, "x".repeat(2_500));
  one.send(kinds.stanza, "next");
  one.write(undefined);
  expect(one.written).toBe(4);
  expect(one.undelivered(2).map(({ body }) => body.length)).toEqual([2_500, 4]);
  expect(one.undelivered(3).map(({ body }) => body.length)).toEqual([4]);
});

test("link: neither a message nor what fragments add up to may pass 16 MiB", () => {
  const one = session({ messageBytes: 5_000, windowBytes: 100_000 });
  expect(() => one.send(kinds.stanza, "x".repeat(5_001))).toThrow("5001 bytes, at most 5000");
  const reader = new FrameReader(10_000);
  const more = (number: number): string =>
    numberedFrame(kinds.stanza, classes.stanzas, number, "x".repeat(2_000), true);
  reader.push(bytesFromBinary(more(1) + more(2) + more(3)));
  expect(() => {
    while (reader.next()) one.receive(reader);
  }).toThrow("6000 bytes, at most 5000");
});

test("link queue: of what is told of tables fewer bytes may be too many", () => {
  const { tables, stanzas } = new LinkQueues({ ...linkLimits, tableQueueBytes: 1_000 });
  expect([tables.bytesMax, stanzas.bytesMax]).toEqual([1_000, linkLimits.queueBytes]);
  const asUsual = new LinkQueues(linkLimits);
  expect(asUsual.tables.bytesMax).toBe(linkLimits.queueBytes);
});

test("link queue: neither what stays when the turn ends nor a fragment of it keeps anything else alive", () => {
  const queues = new LinkQueues({ ...linkLimits, overtakingBytes: 0 });
  const { stanzas } = queues;
  const before = occupied();
  const kept: (Outgoing | undefined)[] = [];
  const take = (bytes: number): unknown =>
    stanzas.first && kept.push(queues.take(stanzas, stanzas.first, bytes));
  for (let count = 0; count < 20; count += 1) queues.push(kinds.stanza, partOfMuch());
  take(200);
  kept.length = 0; // the link keeps it as it was written
  take(5);
  stanzas.settle();
  take(195);
  for (let count = 0; count < 20; count += 1) queues.push(kinds.stanza, partOfMuch());
  stanzas.settle();
  expect([stanzas.length, kept.map((frame) => frame && frame.end - frame.start)]).toEqual([
    38,
    [5, 195],
  ]);
  expect(occupied() - before).toBeLessThan(5 * muchBytes);
  expect([...stanzas].every(({ body }) => body === "x".repeat(200))).toBe(true);
});

test("retained frames: what was received of a piece is not written again, nor handed back", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ size: fc.nat(400), sync: fc.boolean(), cut: fc.boolean() }), {
        maxLength: 30,
      }),
      fc.nat(30),
      fc.nat(30),
      (frames, some, more) => {
        const retained = new RetainedFrames();
        let out = "";
        for (const [index, { size, sync, cut }] of frames.entries()) {
          const body = `${index}:`.padEnd(size, "x");
          const [kind, frameClass] = sync
            ? [kinds.chunk, classes.sync]
            : [kinds.stanza, classes.stanzas];
          const whole = { kind, body, frameClass, start: 0, end: body.length, after: 0 };
          out += retained.add(whole);
          if (cut) out += retained.cut();
        }
        out += retained.cut();
        expect(retained.again()).toBe(out);
        for (const acked of [Math.min(some, frames.length), Math.min(some + more, frames.length)]) {
          retained.acknowledged(acked);
          const reader = new FrameReader(10_000);
          reader.push(bytesFromBinary(retained.again()));
          const numbers: number[] = [];
          while (reader.next()) numbers.push(reader.number);
          expect(numbers).toEqual(frames.slice(acked).map((_, index) => acked + 1 + index));
          const bodies = retained.undelivered().map(({ body }) => Number(body.split(":")[0]));
          const expected = [...frames.keys()].filter(
            (index) => index >= acked && !frames[index]?.sync,
          );
          expect(bodies).toEqual(expected);
          const bytes = retained.again().length + retainedOverhead * numbers.length;
          expect([retained.bytes, retained.acked]).toEqual([bytes, acked]);
        }
        retained.acknowledged(frames.length);
        expect([retained.bytes, retained.syncBytes, retained.length]).toEqual([0, 0, 0]);
      },
    ),
  );
});

test("retained frames: a piece keeps nothing alive that it was made of, whatever the wire does with it", () => {
  const retained = new RetainedFrames();
  // In a function of its own: what a test has on its stack stays alive.
  const write = (): void => {
    const body = partOfMuch();
    const { stanza: kind } = kinds;
    const place = { frameClass: classes.stanzas, start: 0, end: body.length, after: 0 };
    retained.add({ kind, body, ...place });
  };
  const before = occupied();
  for (let count = 0; count < 20; count += 1) {
    write();
    if (count % 4 === 3) retained.cut();
  }
  expect(occupied() - before).toBeLessThan(5 * muchBytes);
  expect([retained.undelivered().length, retained.open]).toEqual([20, 0]);
});

test("link: written stanzas are kept as they were until they are acknowledged, however many at once", () => {
  const from = session({ windowBytes: 30_000 });
  const sent = Array.from({ length: 50 }, (_, at) => `<message id='${at}'/>`.padEnd(at * 40, "x"));
  for (const body of sent) from.send(kinds.stanza, body);
  while (from.write(undefined) !== "");
  expect(from.undelivered().map(({ body }) => body)).toEqual(sent);
});

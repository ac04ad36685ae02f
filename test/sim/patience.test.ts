import { expect, test } from "vitest";
import type { Oracle } from "../../sim/oracles/oracle.ts";
import { patience } from "../../sim/oracles/patience.ts";
import { Written } from "../../sim/oracles/written.ts";
import type { Plan } from "../../sim/plan.ts";
import { planFromSeed } from "../../sim/plan-from-seed.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../../sim/trace.ts";

const plan = planFromSeed(1);
const { negotiationTimeout, sendTimeout, keepAliveInterval, maxSendQueue } = plan.limits;
const result = "<iq><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b/c</jid></bind></iq>";
const connection = 1;
const closed = { connection, login: "a#1", reason: "reset" };

/** What befalls one client's connection at one node; times are given. */
class Tale {
  readonly #oracle: Oracle;

  constructor(of = plan) {
    this.#oracle = patience(of, { written: new Written() });
    this.then(0, "connection-opened", { connection, login: "a#1", listener: "c2s", dial: 0 });
  }

  then<K extends TraceKind>(at: number, kind: K, data: TraceKinds[K]): this {
    this.#oracle.see({ at, place: "n1", kind, data } as unknown as TraceEvent);
    return this;
  }

  writes(at: number, data: string): this {
    return this.then(at, "bytes-sent", { connection, data });
  }

  failures(at: number): readonly string[] {
    return this.then(at, "health-asked", { path: "/" }).#judged();
  }

  #judged(): readonly string[] {
    const { judged, failures } = this.#oracle.judge();
    expect(judged).toBeGreaterThan(0);
    return failures;
  }
}

const bound = (): Tale => new Tale().writes(0, result);

test("who is never bound is given up in time", () => {
  const closed = (at: number) => new Tale().then(at, "close-asked", { connection }).failures(at);
  expect(closed(negotiationTimeout)).toEqual([]);
  expect(closed(2 * negotiationTimeout)).toHaveLength(1);
  expect(new Tale().failures(2 * negotiationTimeout)).toHaveLength(1);
});

test("who is turned away may take its time to close its stream, and no longer", () => {
  for (const end of ["</stream:stream>", "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"]) {
    const at = negotiationTimeout - 1_000;
    const away = (): Tale => new Tale().writes(at, `<failure/>${end}`);
    expect(
      away()
        .then(at + 4_000, "connection-closed", closed)
        .failures(at + 4_000),
    ).toEqual([]);
    expect(away().failures(at + 7_000)).toHaveLength(1);
  }
});

test("who is silent hears from its node at every interval", () => {
  const heard = (...times: number[]) => times.reduce((tale, at) => tale.writes(at, " "), bound());
  expect(heard(keepAliveInterval, 2 * keepAliveInterval).failures(3 * keepAliveInterval)).toEqual(
    [],
  );
  expect(bound().failures(2 * keepAliveInterval)).toHaveLength(1);
  expect(heard(keepAliveInterval).failures(3 * keepAliveInterval)).toHaveLength(1);
});

test("who reads nothing is given up in time, and no sooner", () => {
  const congested = () => bound().then(1, "connection-congested", { connection });
  const text = "Nothing was read for a while";
  const givenUp = (at: number) =>
    congested().writes(at, text).then(at, "close-asked", { connection }).failures(at);
  expect(givenUp(1 + sendTimeout)).toEqual([]);
  expect(givenUp(sendTimeout / 2)).toHaveLength(1);
  expect(congested().failures(2 * sendTimeout)).toHaveLength(1);
  const drained = congested().then(2, "connection-drained", { connection });
  expect(drained.failures(keepAliveInterval)).toEqual([]);
  const reading = congested().then(2, "connection-drained", { connection }).writes(3, text);
  expect(reading.failures(3)).toHaveLength(1);
  // As it is told: what was written before the end comes after it.
  const told = congested().then(2, "close-asked", { connection }).writes(2, text);
  expect(told.failures(2)).toHaveLength(1);
});

test("who is given up for what waits has had that much sent to it", () => {
  const text = `More than ${maxSendQueue} bytes wait to be read`;
  const given = (bytes: number) =>
    bound()
      .then(1, "connection-congested", { connection })
      .then(2, "bytes-received", { connection: 2, bytes: new Uint8Array(bytes) })
      .writes(3, text)
      .failures(3);
  expect(given(maxSendQueue)).toEqual([]);
  expect(given(maxSendQueue >> 3)).toHaveLength(1);
  expect(bound().writes(3, text).failures(3)).toHaveLength(1);
});

test("of a long message only the end may have come since anything waited", () => {
  const text = `More than ${maxSendQueue} bytes wait to be read`;
  const [first] = plan.clients;
  const givenUp = (longBytes?: number) => {
    const behaviour = { kind: "chatter", everyMs: [1_000, 1_000], peers: [], longBytes };
    const client = { ...first, behaviour } as unknown as Plan["clients"][number];
    return new Tale({ ...plan, clients: [client] })
      .writes(0, result)
      .then(1, "connection-congested", { connection })
      .then(2, "bytes-received", { connection: 2, bytes: new Uint8Array(maxSendQueue >> 3) })
      .writes(3, text)
      .failures(3);
  };
  expect(givenUp(maxSendQueue)).toEqual([]);
  expect(givenUp(maxSendQueue >> 3)).toHaveLength(1);
  expect(givenUp()).toHaveLength(1);
});

test("who is given up for what waits has not been written most of it", () => {
  const [first] = plan.clients;
  const behaviour = { kind: "non-reader", readsMs: [1, 1], pausesMs: [1, 1] };
  const one = { ...first, name: "a", user: "a", behaviour } as unknown as Plan["clients"][number];
  const of = { ...plan, clients: [one], limits: { ...plan.limits, maxSendQueue: 100_000 } };
  const text = "More than 100000 bytes wait to be read";
  /** Three messages of 45000 bytes come, and the first of them so many leave. */
  const givenUp = (left: number, clients = of.clients) => {
    const tale = new Tale({ ...of, clients })
      .then(0, "login-started", { login: "a#1", user: "a", node: "n1" })
      .then(0, "connection-opened", { connection, login: "a#1", listener: "c2s", dial: 0 })
      .writes(0, result)
      .then(1, "connection-congested", { connection })
      .then(1, "bytes-received", { connection: 2, bytes: new Uint8Array(135_000) });
    for (const id of ["m/b#1/1", "m/b#1/2", "m/b#1/3"]) {
      tale.then(1, "message-sent", { login: "b#1", id, to: "a@meerkat.test", bytes: 45_000 });
    }
    for (let sent = 1; sent <= left; sent++) tale.writes(2, `<message id='m/b#1/${sent}'/>`);
    return tale.writes(3, text).failures(3);
  };
  expect(givenUp(0)).toEqual([]);
  expect(givenUp(1)).toHaveLength(1);
  // Which of two devices has had what is not known.
  expect(givenUp(1, [one, { ...one, name: "a-too" }])).toEqual([]);
});

test("what waits leaves in pieces: what came before the last of them may still wait", () => {
  const text = `More than ${maxSendQueue} bytes wait to be read`;
  const congestedAgain = (at: number) =>
    bound()
      .then(1, "connection-congested", { connection })
      .then(2, "bytes-received", { connection: 2, bytes: new Uint8Array(maxSendQueue) })
      .then(3, "connection-drained", { connection })
      .then(at, "connection-congested", { connection })
      .writes(at + 1, text)
      .failures(at + 1);
  expect(congestedAgain(4)).toEqual([]);
  expect(congestedAgain(2_000)).toHaveLength(1);
});

test("who sends too fast is read again when what it sent fits the limit, and no sooner", () => {
  const rate = { ...plan, limits: { ...plan.limits, maxRate: 1_000 } };
  const bytes = new Uint8Array(3_000);
  const sends = (tale: Tale, at: number) => tale.then(at, "bytes-received", { connection, bytes });
  const paused = () =>
    sends(new Tale(rate).writes(0, result), 1_000).then(1_000, "input-paused", { connection });
  const resumed = (at: number) => paused().then(at, "input-resumed", { connection });
  expect(sends(resumed(3_000), 3_001).failures(3_002)).toEqual([]);
  expect(resumed(4_000).failures(4_000)).toHaveLength(1);
  expect(paused().then(4_000, "connection-closed", closed).failures(4_000)).toHaveLength(1);
  expect(sends(paused(), 2_000).failures(2_001)).toHaveLength(1);
  expect(paused().then(2, "node-paused", {}).failures(4_000)).toEqual([]);
});

test("who sends all the time is read at the pace of a clock that runs a hundredth too fast", () => {
  const rate = { ...plan, limits: { ...plan.limits, maxRate: 1_000 } };
  const chunk = { connection, bytes: new Uint8Array(1_000) };
  const readEvery = (ms: number) => {
    const tale = new Tale(rate).writes(0, result);
    for (let at = ms; at <= 300_000; at += ms) tale.then(at, "bytes-received", chunk);
    return tale.failures(300_000).filter((failure) => failure.includes("is read, though"));
  };
  expect(readEvery(990)).toEqual([]);
  expect(readEvery(950).length).toBeGreaterThan(0);
});

test("of a node that stood still, was slow or stops, nothing is said", () => {
  const late = 2 * keepAliveInterval;
  expect(bound().then(1, "node-paused", {}).failures(late)).toEqual([]);
  expect(bound().then(1, "node-slowed", { turnMs: 9 }).failures(late)).toEqual([]);
  expect(bound().then(1, "shutdown-requested", {}).failures(late)).toEqual([]);
  const again = bound().then(1, "node-paused", {}).then(2, "node-resumed", {});
  expect(again.writes(3_000, " ").failures(3_000 + late)).toHaveLength(1);
});

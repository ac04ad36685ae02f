import { expect, test } from "vitest";
import { binaryFromBytes } from "../../src/base/bytes.ts";
import type { ConnectionId, NetworkInput } from "../../src/ports/network.ts";
import { SimulatedNetwork, type NodePort } from "../../sim/kit/network.ts";
import { inTurn } from "../../sim/kit/random.ts";
import { World } from "../../sim/kit/world.ts";

class Host {
  readonly inputs: NetworkInput[] = [];
  readonly port: NodePort;

  constructor(network: SimulatedNetwork, name: string) {
    this.port = network.attach(name, {
      deliver: (input) => void this.inputs.push(input),
      onSent: () => undefined,
      address: `${name}:7000`,
    });
  }

  /** What it was told, in short. */
  get told(): string[] {
    return this.inputs.map((input) => {
      if (input.type === "connection-closed") return `closed: ${input.reason}`;
      if (input.type === "dial-failed")
        return input.refused ? "refused" : `failed: ${input.reason}`;
      return input.type;
    });
  }

  get text(): string {
    return this.inputs
      .map((input) => (input.type === "bytes-received" ? binaryFromBytes(input.bytes) : ""))
      .join("");
  }

  get connection(): ConnectionId {
    const opened = this.inputs.findLast((input) => input.type === "connection-opened");
    return opened?.type === "connection-opened" ? opened.connection : -1;
  }

  say(text: string): void {
    this.port.write(this.connection, text);
    this.port.flush();
  }
}

function two(options: { dial?: boolean; windowBytes?: number } = {}) {
  const world = new World();
  const network = new SimulatedNetwork({
    world,
    draws: inTurn(1),
    pipe: { latencyMs: [1, 5], cutChance: 0, windowBytes: options.windowBytes ?? 65_536 },
  });
  const a = new Host(network, "a");
  const b = new Host(network, "b");
  const pass = (ms: number): void => world.runUntil(world.now() + ms);
  if (options.dial !== false) {
    a.port.dial(1, "b:7000");
    pass(100);
  }
  return { network, fabric: network.fabric, a, b, pass };
}

test("fabric: a cut in one direction holds that direction's bytes and frees them when it heals", () => {
  const { fabric, a, b, pass } = two();
  fabric.cut("a", "b");
  a.say("held");
  b.say("free");
  pass(60_000);
  expect([a.text, b.text]).toEqual(["free", ""]);
  fabric.mend("a", "b");
  pass(100);
  expect(b.text).toBe("held");
  expect(a.told).toEqual(["connection-opened", "bytes-received"]);
});

test("fabric: without acknowledgements the window fills though the reader reads", () => {
  const { fabric, a, b, pass } = two();
  fabric.cut("a", "b");
  b.say("x".repeat(200_000));
  pass(60_000);
  expect(a.text).toHaveLength(65_536);
  fabric.mend("a", "b");
  pass(1_000);
  expect(a.text).toHaveLength(200_000);
});

test("fabric: two cuts that overlap end each on its own", () => {
  const { fabric, a, b, pass } = two();
  fabric.cut("a", "b");
  fabric.cut("a", "b");
  fabric.mend("a", "b");
  a.say("held");
  pass(1_000);
  expect(b.text).toBe("");
  fabric.mend("a", "b");
  pass(1_000);
  expect(b.text).toBe("held");
});

test("fabric: a dial into a cut has no answer for ten seconds, in either direction", () => {
  for (const [from, to] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    const { fabric, a, b, pass } = two({ dial: false });
    fabric.cut(from, to);
    a.port.dial(1, "b:7000");
    pass(9_900);
    expect(a.told).toEqual([]);
    pass(200);
    expect(a.told).toEqual(["failed: timed out"]);
    expect(b.told).toEqual([]);
  }
});

test("fabric: a dial into a cut that heals in time gets through", () => {
  const { fabric, a, b, pass } = two({ dial: false });
  fabric.cut("a", "b");
  a.port.dial(1, "b:7000");
  pass(5_000);
  fabric.mend("a", "b");
  pass(2_100);
  expect([a.told, b.told]).toEqual([["connection-opened"], ["connection-opened"]]);
});

test("fabric: a process that ends resets its connections; its successor is a stranger", () => {
  const { network, a, b, pass } = two();
  network.detach("b");
  pass(100);
  expect(a.told).toEqual(["connection-opened", "closed: reset"]);
  a.port.dial(2, "b:7000");
  pass(100);
  expect(a.told.at(-1)).toBe("refused");
  const again = new Host(network, "b");
  a.port.dial(3, "b:7000");
  pass(100);
  expect(again.told).toEqual(["connection-opened"]);
  expect(b.told).toEqual(["connection-opened"]);
});

test("fabric: a reset that a cut swallows is learned from the answer to the next byte", () => {
  const { network, fabric, a, pass } = two();
  fabric.cut("b", "a");
  network.detach("b");
  pass(10_000);
  a.say("anybody there?");
  pass(10_000);
  expect(a.told).toEqual(["connection-opened"]);
  fabric.mend("b", "a");
  pass(100);
  expect(a.told).toEqual(["connection-opened", "closed: reset"]);
});

test("fabric: a host without power answers nobody; back again it knows no old connection", () => {
  const { network, a, pass } = two();
  network.powerOff("b");
  a.say("anybody there?");
  a.port.dial(2, "b:7000");
  pass(20_000);
  expect(a.told).toEqual(["connection-opened", "failed: timed out"]);
  network.powerOn("b");
  pass(100);
  expect(a.told.at(-1)).toBe("closed: reset");
  a.port.dial(3, "b:7000");
  pass(100);
  expect(a.told.at(-1)).toBe("refused");
});

test("fabric: of a connection that is dropped in sight of one end the other hears nothing", () => {
  const { network, a, b, pass } = two();
  expect(network.resetAt("b", "a")).toBe(1);
  a.say("anybody there?");
  pass(20_000);
  expect([a.told, b.told]).toEqual([["connection-opened"], ["connection-opened", "closed: reset"]]);
  b.port.dial(2, "a:7000");
  pass(100);
  expect(a.told).toEqual(["connection-opened", "connection-opened"]);
  network.heal();
  pass(100);
  expect(a.told.at(-1)).toBe("closed: reset");
});

test("fabric: who gave up dialling answers the listener's first byte with a reset", () => {
  const { fabric, a, b, pass } = two({ dial: false });
  fabric.delays.begin("b>a", 11_000); // the answer is under way when the patience ends
  a.port.dial(1, "b:7000");
  pass(10_500);
  expect(a.told).toEqual(["failed: timed out"]);
  expect(b.told).toEqual(["connection-opened"]);
  fabric.delays.end("b>a", 11_000);
  b.say("welcome");
  pass(20_000);
  expect(b.told).toEqual(["connection-opened", "closed: reset"]);
  expect(a.told).toEqual(["failed: timed out"]);
});

test("fabric: a process that stands still takes nothing, and all of it afterwards", () => {
  const { a, b, pass } = two({ windowBytes: 1_000 });
  b.port.setProcessReads(false);
  a.say("x".repeat(3_000));
  pass(60_000);
  expect(b.text).toBe("");
  b.port.setProcessReads(true);
  pass(1_000);
  expect(b.text).toHaveLength(3_000);
});

test("fabric: with a wide window what waited for many trips comes in one", () => {
  const { network, a, pass } = two({ dial: false, windowBytes: 1_000 });
  const ignore = (): void => undefined;
  const wire = network.connect({
    ...{ login: "c#1", node: "a", listener: "c2s", remote: "192.0.2.1" },
    ...{ tlsFirst: false, serverName: "meerkat.test" },
    events: { opened: ignore, received: ignore, secured: ignore, closed: ignore },
  });
  pass(100);
  wire.write("x".repeat(30_000));
  pass(10);
  expect(a.text.length).toBeLessThan(15_000);
  network.fabric.setWindowMin(65_536);
  pass(10);
  expect(a.text).toHaveLength(30_000);
});

test("fabric: of delays and rates that overlap each ends itself alone", () => {
  const { fabric } = two();
  const now = (): [number, number] => [fabric.delay("a", "b"), fabric.rate("a", "b")];
  fabric.delays.begin("a", 300);
  fabric.delays.begin("a>b", 30);
  fabric.delays.begin("a>b", 8_000);
  fabric.rates.begin("b", 50_000);
  fabric.rates.begin("a>b", 4_000);
  fabric.rates.begin("a>b", 20_000);
  expect(now()).toEqual([8_330, 4_000]);
  expect([fabric.delay("b", "a"), fabric.rate("b", "a")]).toEqual([300, 50_000]);
  fabric.delays.end("a>b", 8_000);
  fabric.rates.end("a>b", 4_000);
  expect(now()).toEqual([330, 20_000]);
  fabric.heal();
  fabric.delays.end("a>b", 30); // its plan may say that it ends after the heal
  expect(now()).toEqual([0, Infinity]);
});

test("fabric: silence between two hosts leaves new connections alone", () => {
  const { network, a, b, pass } = two();
  expect(network.silenceBetween("b", "a", true)).toBe(1);
  a.say("lost");
  pass(1_000);
  a.port.dial(2, "b:7000");
  pass(100);
  a.say("heard");
  pass(100);
  expect(b.text).toBe("heard");
});

test("fabric: who writes to a process that stood still when its machine died learns of it", () => {
  const { network, a, b, pass } = two();
  b.port.setProcessReads(false);
  network.powerOff("b");
  a.say("anybody there?");
  pass(5_000);
  network.powerOn("b");
  pass(1_000);
  expect(a.told).toEqual(["connection-opened", "closed: reset"]);
});

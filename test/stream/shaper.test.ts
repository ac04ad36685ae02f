/** How fast a connection is read: what the bucket holds, and how long a debt takes. */
import { expect, test } from "vitest";
import { Shaper, type ShaperEffect } from "../../src/stream/shaper.ts";
import { header, smallConfig, SmallNode } from "../server/small-node.ts";

const received = (shaper: Shaper, at: number, count: number): ShaperEffect | undefined =>
  shaper.step(at, { type: "bytes-received", count });
const expired = (shaper: Shaper, at: number): ShaperEffect | undefined =>
  shaper.step(at, { type: "deadline-reached" });

test("shaper: a second's worth may come at once, what exceeds it is made up for", () => {
  const shaper = new Shaper(1_000);
  expect(received(shaper, 5_000, 600)).toBeUndefined();
  expect(received(shaper, 5_000, 400)).toBeUndefined();
  expect(shaper.deadline()).toBeUndefined();
  expect(received(shaper, 5_000, 250)).toBe("pause-reading");
  expect(shaper.deadline()).toBe(5_250);
  expect(expired(shaper, 5_249)).toBeUndefined();
  expect(expired(shaper, 5_250)).toBe("resume-reading");
  expect(shaper.deadline()).toBeUndefined();
});

test("shaper: what still arrives while reading is paused makes the pause longer", () => {
  const shaper = new Shaper(1_000);
  expect(received(shaper, 0, 1_500)).toBe("pause-reading");
  expect(received(shaper, 100, 500)).toBeUndefined();
  expect(expired(shaper, 500)).toBeUndefined();
  expect(shaper.deadline()).toBe(1_000);
  expect(expired(shaper, 1_000)).toBe("resume-reading");
});

test("shaper: silence fills the bucket, and no more than that", () => {
  const shaper = new Shaper(1_000);
  received(shaper, 0, 1_000);
  expect(received(shaper, 60_000, 1_000)).toBeUndefined();
  expect(received(shaper, 60_000, 1)).toBe("pause-reading");
});

test("shaper: a node reads a listener's fast sender more slowly and loses nothing of it", () => {
  const listen = smallConfig.listen.map((each) => ({ ...each, max_rate: 1_000 }));
  const node = new SmallNode({ config: { ...smallConfig, listen } });
  const receiver = node.login("romeo", "r");
  const sender = node.login("juliet", "j");
  expect(node.paused.size).toBe(0);
  const body = "x".repeat(2_000);
  node.send(sender, `<message to='romeo@localhost/r' id='m'><body>${body}</body></message>`);
  expect(node.read(receiver)).toContain(body);
  expect([...node.paused]).toEqual([sender]);
  node.after(1_000);
  expect([...node.paused]).toEqual([sender]);
  node.after(2_000);
  expect(node.paused.size).toBe(0);
  expect(node.server.loop.deadline()).toBeGreaterThan(0);
});

test("shaper: without one nobody is made to wait", () => {
  const node = new SmallNode();
  node.connect(header + " ".repeat(100_000));
  expect(node.paused.size).toBe(0);
});

import { expect, test } from "vitest";
import { Backlog } from "../../sim/backlog.ts";
import { bytesFromText, textFromBytes } from "../../src/base/bytes.ts";
import type { WorldInput } from "../../src/server/effects.ts";

function filled(...inputs: readonly WorldInput[]): Backlog {
  const backlog = new Backlog();
  inputs.forEach((input, since) => backlog.add({ input, login: "", since }));
  return backlog;
}

function emptied(backlog: Backlog): readonly string[] {
  const told: string[] = [];
  for (let next = backlog.take(100); next !== undefined; next = backlog.take(100)) {
    const { input } = next;
    told.push(input.type === "bytes-received" ? (textFromBytes(input.bytes) ?? "") : input.type);
  }
  return told;
}

const bytes = (connection: number, text: string): WorldInput => ({
  ...{ type: "bytes-received", connection },
  bytes: bytesFromText(text),
});
const closed: WorldInput = { type: "connection-closed", connection: 1, reason: "reset" };

test("backlog: bytes of one connection are read in one piece, and nothing changes its order", () => {
  const backlog = filled(bytes(1, "a"), bytes(2, "x"), bytes(1, "b"), closed, bytes(1, "c"));
  expect(emptied(backlog)).toEqual(["ab", "x", "connection-closed", "c"]);
  expect(backlog.longestMs).toBe(100);
});

test("backlog: messages stay what they are, one by one", () => {
  const backlog = new Backlog((connection) => connection === 2);
  for (const input of [bytes(1, "a"), bytes(2, "x"), bytes(2, "y"), bytes(1, "b")]) {
    backlog.add({ input, login: "", since: 0 });
  }
  expect(emptied(backlog)).toEqual(["ab", "x", "y"]);
});

test("backlog: a piece has at most 64 KiB", () => {
  const half = "h".repeat(40_000);
  expect(emptied(filled(bytes(1, half), bytes(1, half))).map((each) => each.length)).toEqual([
    40_000, 40_000,
  ]);
});

test("backlog: it knows whether a tick waits", () => {
  const backlog = filled(closed);
  expect(backlog.hasTick).toBe(false);
  backlog.add({ input: { type: "deadline-reached" }, login: "", since: 0 });
  expect(backlog.hasTick).toBe(true);
  backlog.clear();
  expect(emptied(backlog)).toEqual([]);
});

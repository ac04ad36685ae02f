/** Pieces of work that wait for the world: how many, and for how long they are remembered. */
import { expect, test } from "vitest";
import { WorkRunner } from "../../src/server/work-runner.ts";
import { list } from "../../src/storage/discovery.ts";

const now = { at: 0, wall: 0 };

test("work: an answer is heard once, and makes room for the next request", () => {
  const asked: number[] = [];
  const ended: unknown[] = [];
  const runner = new WorkRunner((effect) => void asked.push(effect.request), 1);
  const start = (): void =>
    runner.start(now, list("meerkats"), {
      done: (_, nodes) => void ended.push(nodes),
      failed: (_, { failure }) => void ended.push(failure),
      broken: (_, error) => void ended.push(error),
    });
  start();
  start(); // one too many
  expect(ended).toEqual(["unavailable"]);
  const answer = { type: "query-answered", request: 1, results: [[]] } as const;
  runner.answer(now, answer);
  runner.answer(now, answer);
  expect([ended, runner.openCount]).toEqual([["unavailable", []], 0]);
  start();
  expect([asked, runner.openCount]).toEqual([[1, 2], 1]);
});

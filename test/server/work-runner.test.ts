/** Pieces of work that wait for the world: how many, and for how long they are remembered. */
import { expect, test } from "vitest";
import { WorkRunner, type Task, type WorkEnds } from "../../src/server/work-runner.ts";
import { list } from "../../src/storage/discovery.ts";

const now = { at: 0, wall: 0 };

test("work: an answer is heard once, and makes room for the next request, also of work that was dropped", () => {
  const asked: number[] = [];
  const ended: unknown[] = [];
  const runner = new WorkRunner((effect) => void asked.push(effect.request), 1);
  const ends: WorkEnds<unknown> = {
    done: (_, nodes) => void ended.push(nodes),
    failed: (_, { failure }) => void ended.push(failure),
    broken: (_, error) => void ended.push(error),
  };
  const start = (): void => runner.start(now, list("meerkats"), ends);
  start();
  start(); // one too many
  expect(ended).toEqual(["unavailable"]);
  const answer = { type: "query-answered", request: 1, results: [[]] } as const;
  runner.answer(now, answer);
  runner.answer(now, answer);
  expect([ended, runner.openCount]).toEqual([["unavailable", []], 0]);
  let task: Task | undefined;
  runner.start(now, list("meerkats"), ends, (started) => (task = started));
  if (task !== undefined) task.dropped = true;
  runner.answer(now, { ...answer, request: 2 });
  expect([asked, runner.openCount]).toEqual([[1, 2], 0]);
});

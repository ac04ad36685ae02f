/** The load clients must see what a server did wrong, or their "none" means nothing. */
import { expect, test } from "vitest";
import { Flow, readArrivals, type Arrival } from "../../bench/load/flow.ts";
import type { Faults } from "../../bench/load/spec.ts";

const noFaults = (): Faults => ({
  lost: 0,
  duplicated: 0,
  reordered: 0,
  misdelivered: 0,
  closed: 0,
});

/** What the receiver makes of these numbers, of `sent` messages. */
function judged(sent: number, numbers: readonly number[]): Faults {
  const flow = new Flow(7, "u6@localhost/b", 100);
  for (let i = 0; i < sent; i++) flow.message(1000);
  const faults = noFaults();
  for (const number of numbers) flow.arrived(number, faults);
  return { ...faults, lost: flow.lost };
}

test("bench: messages that all arrive in order are no fault", () => {
  expect(judged(4, [0, 1, 2, 3])).toEqual(noFaults());
});

test("bench: what is missing at the end or in the middle is lost", () => {
  expect(judged(4, [0, 1])).toEqual({ ...noFaults(), lost: 2 });
  expect(judged(4, [0, 3])).toEqual({ ...noFaults(), lost: 2 });
});

test("bench: what comes twice is duplicated, what comes late is reordered", () => {
  expect(judged(3, [0, 1, 1, 2])).toEqual({ ...noFaults(), duplicated: 1 });
  expect(judged(3, [0, 2, 1])).toEqual({ ...noFaults(), reordered: 1 });
  expect(judged(3, [0, 2, 1, 1])).toEqual({ ...noFaults(), reordered: 1, duplicated: 1 });
});

test("bench: messages are found however their bytes are cut", () => {
  const flow = new Flow(7, "u6@localhost/b", 100);
  const text = flow.message(1234) + flow.message(5678);
  const expected: Arrival[] = [
    { sender: 7, number: 0, sentAtMicros: 1234 },
    { sender: 7, number: 1, sentAtMicros: 5678 },
  ];
  for (let cut = 0; cut <= text.length; cut++) {
    const found: Arrival[] = [];
    const carry = readArrivals(text.slice(0, cut), (arrival) => found.push(arrival));
    readArrivals(carry + text.slice(cut), (arrival) => found.push(arrival));
    expect(found).toEqual(expected);
  }
});

test("bench: a body has exactly the bytes asked for", () => {
  const body = /<body>(.*)<\/body>/.exec(new Flow(1, "a", 100).message(1))?.[1];
  expect(body).toHaveLength(100);
});

/** Laws of the deadline heap: it gives what a sorted list would, whatever is set, moved and taken out. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Deadlines } from "../../src/base/deadlines.ts";

interface Item {
  readonly name: number;
  deadlineSlot: number;
}

const step = fc.oneof(
  fc.record({ item: fc.nat(19), at: fc.option(fc.nat(100), { nil: undefined }) }),
  fc.record({ takeDueAt: fc.nat(100) }),
);

test("deadlines: next and takeDue agree with a plain list", () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 200 }), (steps) => {
      const heap = new Deadlines<Item>();
      const items: Item[] = Array.from({ length: 20 }, (_, name) => ({ name, deadlineSlot: -1 }));
      const plain = new Map<number, number>();
      const earliest = (): number | undefined =>
        plain.size === 0 ? undefined : Math.min(...plain.values());
      for (const each of steps) {
        if ("item" in each) {
          heap.set(items[each.item] as Item, each.at);
          if (each.at === undefined) plain.delete(each.item);
          else plain.set(each.item, each.at);
        } else {
          const due = heap.takeDue(each.takeDueAt);
          const first = earliest();
          if (first === undefined || first > each.takeDueAt) expect(due).toBeUndefined();
          else {
            expect(plain.get(due?.name ?? -1)).toBe(first);
            expect(due?.deadlineSlot).toBe(-1);
            plain.delete(due?.name ?? -1);
            taken += 1;
          }
        }
        expect([heap.next(), heap.size]).toEqual([earliest(), plain.size]);
      }
    }),
    { numRuns: 500 },
  );
  expect(taken).toBeGreaterThan(500);
});

import { expect, test } from "vitest";
import * as fc from "fast-check";
import { none } from "../../src/cluster/hash-slots.ts";
import { knownHash } from "../../src/cluster/key-hash.ts";
import { RecordIndex } from "../../src/cluster/record-index.ts";
import { RecordStore } from "../../src/cluster/record-store.ts";

/** Few index keys, some of them the start of others, half of them not the start of the record's key. */
const indexKey = fc.constantFrom("", "a", "aa", "ab", "b", "ba", "user1@x", "user2@x");
const action = fc.record({
  do: fc.constantFrom("add", "add", "remove", "change", "reserve"),
  indexKey: fc.oneof(indexKey, fc.string({ maxLength: 3 })),
  asStart: fc.boolean(),
  pick: fc.nat(),
});

/** An index over a store whose records say in their value what they are found by. */
class Indexed {
  readonly store = new RecordStore();
  readonly index = new RecordIndex(this.store, (_, value) => value);

  put(key: string, value: string): void {
    const hash = knownHash.ofText(key);
    const number = this.store.find(key, hash);
    if (number === none) {
      this.index.add(this.store.insert(key, value, 1, hash), key, value);
    } else {
      this.store.replace(number, key, value, 1);
      this.index.change(number, key, value);
    }
  }

  remove(key: string): void {
    const number = this.store.find(key, knownHash.ofText(key));
    this.index.remove(number);
    this.store.remove(number);
  }

  /** The numbers of an index key, in order. */
  of(key: string): number[] {
    const last = this.index.last(key, knownHash.ofText(key));
    if (last === none) return [];
    const numbers = [this.index.next(last)];
    while (numbers.at(-1) !== last) numbers.push(this.index.next(numbers.at(-1) ?? none));
    return numbers;
  }

  number(key: string): number {
    return this.store.find(key, knownHash.ofText(key));
  }
}

test("record index: holds what a map of lists would, in the same order, after any history", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const indexed = new Indexed();
      const model = new Map<string, string[]>();
      let made = 0;
      for (const { do: what, indexKey: under, asStart, pick } of actions) {
        if (what === "reserve") {
          indexed.store.reserve(pick % 100);
          indexed.index.reserve(pick % 100);
          continue;
        }
        const list = model.get(under) ?? [];
        const picked = list[pick % Math.max(1, list.length)];
        if (what === "add" || picked === undefined) {
          made += 1;
          const key = asStart ? `${under}/${made}` : `~/${made}`;
          indexed.put(key, under);
          model.set(under, [...list, key]);
        } else if (what === "remove") {
          indexed.remove(picked);
          model.set(
            under,
            list.filter((key) => key !== picked),
          );
        } else if (asStart) {
          indexed.put(picked, under); // what stays under its index key keeps its place
        } else {
          const other = `${under}?`;
          indexed.put(picked, other);
          model.set(
            under,
            list.filter((key) => key !== picked),
          );
          model.set(other, [...(model.get(other) ?? []), picked]);
        }
        for (const [each, keys] of model) {
          expect(indexed.of(each)).toEqual(keys.map((key) => indexed.number(key)));
        }
      }
    }),
  );
});

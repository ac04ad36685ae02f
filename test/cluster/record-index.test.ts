import { expect, test } from "vitest";
import * as fc from "fast-check";
import { RecordIndex, type Indexed } from "../../src/cluster/record-index.ts";

interface Entry extends Indexed {
  readonly id: number;
}

/** Few index keys, some of them the start of others, half of them not the start of the record's key. */
const indexKey = fc.constantFrom("", "a", "aa", "ab", "b", "ba", "user1@x", "user2@x");
const action = fc.record({
  do: fc.constantFrom("add", "add", "remove", "replace", "reserve"),
  indexKey: fc.oneof(indexKey, fc.string({ maxLength: 3 })),
  asStart: fc.boolean(),
  pick: fc.nat(),
});

test("record index: holds what a map of lists would, in the same order, after any history", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const index = new RecordIndex<Entry>();
      const model = new Map<string, Entry[]>();
      let made = 0;
      const entryOf = (key: string, asStart: boolean): Entry => {
        made += 1;
        const rest = `/${made}`;
        return asStart
          ? { id: made, key: key + rest, index: key.length }
          : { id: made, key: `~${rest}`, index: key };
      };
      for (const { do: what, indexKey: key, asStart, pick } of actions) {
        if (what === "reserve") {
          index.reserve(pick % 100);
          continue;
        }
        const list = model.get(key) ?? [];
        const at = pick % Math.max(1, list.length);
        const picked = list[at];
        if (what === "add" || picked === undefined) {
          const entry = entryOf(key, asStart);
          index.add(entry);
          model.set(key, [...list, entry]);
        } else if (what === "remove") {
          index.remove(picked);
          model.set(key, list.toSpliced(at, 1));
        } else {
          const entry = entryOf(key, typeof picked.index === "number");
          index.replace(picked, entry);
          model.set(key, list.with(at, entry));
        }
        for (const [each, expected] of model) {
          const found = index.get(each);
          const listed = found === undefined ? [] : Array.isArray(found) ? found : [found];
          expect(listed).toEqual(expected);
        }
      }
    }),
  );
});

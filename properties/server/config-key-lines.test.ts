import fc from "fast-check";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { KeyLines } from "../../src/server/config/key-lines.ts";

const name = fc.constantFrom("a", "b-1", "c_d", "007");
const key = fc.oneof(
  name.map((bare) => ({ text: bare, name: bare })),
  fc.constantFrom("x y", "#[", 'q"', "=").map((odd) => ({ text: JSON.stringify(odd), name: odd })),
);
const scalar = fc.constantFrom(
  ...["1", "true", "1.5", "1979-05-27 07:32:00", "1979-05-27T07:32:00Z", "'# ['", '"\\" ] #"'],
  ...['"""\n"two" \\\n\n\\""""', "'''\n'' ]\n'''", "[ 1, [ 2, # no ]\n 3 ], ]", '""', "''", "inf"],
);

/** A value's text, and where keys inside it are: on which line from its first, under which path. */
interface Value {
  readonly text: string;
  readonly keys: readonly { readonly path: readonly (string | number)[]; readonly line: number }[];
}
const linesIn = (text: string): number => text.split("\n").length - 1;

const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    scalar.map((text) => ({ text, keys: [] })),
    fc.uniqueArray(fc.tuple(key, tie("value")), { maxLength: 3, selector: ([k]) => k.name }).map(
      // TOML 1.0: an inline table is on one line, so only its values may hold line feeds.
      (pairs) =>
        joined(
          "{ ",
          " }",
          pairs.map(([k, v]) => ({ lead: `${k.text} = `, at: k.name, v })),
        ),
    ),
    fc.array(tie("value"), { maxLength: 3 }).map((items) =>
      joined(
        "[\n",
        "\n]",
        items.map((v, at) => ({ lead: "", at, v })),
      ),
    ),
  ),
})).value;

function joined(
  open: string,
  close: string,
  parts: readonly { lead: string; at: string | number; v: Value }[],
): Value {
  let text = open;
  const keys: { path: readonly (string | number)[]; line: number }[] = [];
  parts.forEach(({ lead, at, v }, index) => {
    if (index > 0) text += ", ";
    const line = linesIn(text);
    keys.push({ path: [at], line });
    keys.push(...v.keys.map((each) => ({ path: [at, ...each.path], line: line + each.line })));
    text += lead + v.text;
  });
  return { text: text + close, keys };
}

test("config: every key of any document is found on its line", () => {
  const section = fc.record({
    many: fc.boolean(),
    gap: fc.constantFrom("", "\n", "# [no]\n\n", "  \t"),
    pairs: fc.uniqueArray(fc.tuple(key, value), { maxLength: 4, selector: ([k]) => k.name }),
  });
  fc.assert(
    fc.property(fc.array(section, { maxLength: 6 }), (sections) => {
      let text = "";
      const expected: { path: readonly (string | number)[]; line: number }[] = [];
      let tables = 0;
      sections.forEach(({ many, gap, pairs }, index) => {
        text += gap;
        const base = many ? ["list", tables++] : [`table-${index}`];
        text += many ? "[[ list ]] # x\n" : `[table-${index}]\n`;
        for (const [k, v] of pairs) {
          const line = linesIn(text) + 1;
          expected.push({ path: [...base, k.name], line });
          for (const inner of v.keys) {
            expected.push({ path: [...base, k.name, ...inner.path], line: line + inner.line });
          }
          text += `${k.text} = ${v.text} # y\n`;
        }
      });
      parse(text); // The law is about documents that the parser accepts.
      const lines = new KeyLines(text);
      for (const { path, line } of expected) expect([path, lines.line(path)]).toEqual([path, line]);
    }),
    { numRuns: 300 },
  );
});

test("config: a document that is no TOML ends the search too", () => {
  const noise = fc.string({ unit: fc.constantFrom(..."[]{}=.,#\"'\n\\ ab1"), maxLength: 60 });
  fc.assert(fc.property(noise, (text) => void new KeyLines(text).line(["a"])));
});

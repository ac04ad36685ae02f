import { expect, test } from "vitest";
import { KeyLines } from "../../src/server/config/key-lines.ts";
import { editDistance, nearest } from "../../src/server/config/nearest.ts";

const text = String.raw`# a = 1
top = """
x = [ # not a comment
\""" still"""
[ "quoted.table" . 'inner' ]
a.b = 'x # y' # comment [
"c\"d" = { e = 1, "f" = [ { g = 2 },
  { g = "}" } ] }
[[list]]
n = 1979-05-27 07:32:00
[list.sub]
deep = +1_000
[[list]]
[[list.sub2]]
[[list.sub2]]
z = true
[list.sub3]
y = inf
`;

test("key lines: tables, arrays of tables, dotted and quoted keys, inline tables", () => {
  const lines = new KeyLines(text);
  expect(lines.line(["top"])).toBe(2);
  expect(lines.line(["quoted.table", "inner"])).toBe(5);
  expect(lines.line(["quoted.table", "inner", "a", "b"])).toBe(6);
  expect(lines.line(["quoted.table", "inner", 'c"d', "e"])).toBe(7);
  expect(lines.line(["quoted.table", "inner", 'c"d', "f", 0, "g"])).toBe(7);
  expect(lines.line(["quoted.table", "inner", 'c"d', "f", 1, "g"])).toBe(8);
  expect(lines.line(["list", 0, "n"])).toBe(10);
  expect(lines.line(["list", 0, "sub", "deep"])).toBe(12);
  expect(lines.line(["list", 1])).toBe(13);
  expect(lines.line(["list", 1, "sub2", 1, "z"])).toBe(16);
  expect(lines.line(["list", 1, "sub3", "y"])).toBe(18);
});

test("key lines: what was not written is where its table was", () => {
  const lines = new KeyLines(text);
  expect(lines.line(["list", 1, "sub2", 0, "missing", "deeper"])).toBe(14);
  expect(lines.line(["nowhere"])).toBe(1);
});

test("nearest: a slip is forgiven, a guess is not made", () => {
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("prot", "port")).toBe(1);
  expect(editDistance("", "abc")).toBe(3);
  expect(nearest("prot", ["host", "port", "proto"])).toBe("port");
  expect(nearest("Max-Stanza-Size", ["max_stanza_size"])).toBe("max_stanza_size");
  expect(nearest("frobnicate", ["hosts", "loglevel"])).toBeUndefined();
});

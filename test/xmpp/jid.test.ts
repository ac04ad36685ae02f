/** JIDs: examples of RFC 7622 §3.5, PRECIS and IDNA cases, and the cache. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { JidCache, jidOf, parseJid, prepareDomain, preparePassword } from "../../src/xmpp/jid.ts";

const valid: readonly (readonly [string, string])[] = [
  ["juliet@example.com", "juliet@example.com"],
  ["juliet@example.com/foo", "juliet@example.com/foo"],
  ["juliet@example.com/foo bar", "juliet@example.com/foo bar"],
  ["juliet@example.com/foo@bar", "juliet@example.com/foo@bar"],
  ["foo\\20bar@example.com", "foo\\20bar@example.com"],
  ["fussball@example.com", "fussball@example.com"],
  ["fu\u00DFball@example.com", "fu\u00DFball@example.com"],
  ["\u03C0@example.com", "\u03C0@example.com"],
  ["\u03A3@example.com/foo", "\u03C3@example.com/foo"],
  ["\u03C3@example.com/foo", "\u03C3@example.com/foo"],
  ["\u03C2@example.com/foo", "\u03C2@example.com/foo"],
  ["king@example.com/\u265A", "king@example.com/\u265A"],
  ["example.com", "example.com"],
  ["example.com/foobar", "example.com/foobar"],
  ["a.example.com/b@example.net", "a.example.com/b@example.net"],
  ["Juliet@EXAMPLE.com/Foo", "juliet@example.com/Foo"],
  ["a@b\u00FCcher.example", "a@b\u00FCcher.example"],
  ["a@xn--bcher-kva.example", "a@b\u00FCcher.example"],
  ["a@example.com.", "a@example.com"],
  ["a@[::1]", "a@[::1]"],
  ["a@127.0.0.1", "a@127.0.0.1"],
  ["\uFF41@example.com", "a@example.com"],
  ["\u05D0\u05D1@example.com", "\u05D0\u05D1@example.com"],
  ["e\u0301@example.com", "\u00E9@example.com"],
  ["l\u00B7l@example.com", "l\u00B7l@example.com"],
  ["a@example.com/x\u00A0y", "a@example.com/x y"],
];

test.each(valid)("jid: %s is %s", (text, prepared) => {
  expect(parseJid(text)?.full).toBe(prepared);
  expect(parseJid(prepared)?.full).toBe(prepared);
});

const invalid: readonly string[] = [
  '"juliet"@example.com',
  "foo bar@example.com",
  "@example.com",
  "user@example.com/",
  "henry\u2163@example.com",
  "\u265A@example.com",
  "juliet@",
  "/foobar",
  "",
  "a@b@c",
  "a@exa mple.com",
  "a@example..com",
  "a@[::::]",
  "a@[...]",
  "a@-example.com",
  "a@example-.com",
  `a@${"x".repeat(64)}.com`,
  `${"a".repeat(1024)}@example.com`,
  `a@example.com/${"a".repeat(1024)}`,
  `${"\u00E4".repeat(512)}@example.com`,
  "a\u05D0@example.com",
  "a\u0000@example.com",
  "a@example.com/\u0007",
  "a@example.com/\uD800",
  "\u0378@example.com",
  "a\u00B7b@example.com",
  "a\u200Db@example.com",
  "\u0661\u06F1@example.com",
  "a@example.com/\u{E0001}",
];

test.each(invalid)("jid: %j is refused", (text) => {
  expect(parseJid(text)).toBeUndefined();
});

test("jid: parts of exactly 1023 bytes are allowed", () => {
  expect(jidOf("a".repeat(1023), "example.com", "b".repeat(1023))?.resource.length).toBe(1023);
});

test("password: kept as it is but for spaces and composition; never empty [RFC 8265 §4.2]", () => {
  expect(preparePassword("Correct Horse")).toBe("Correct Horse");
  expect(preparePassword("a\u3000b")).toBe("a b");
  expect(preparePassword("")).toBeUndefined();
  expect(preparePassword("\u0009")).toBeUndefined();
});

test("domain: an A-label and its U-label are one name", () => {
  expect(prepareDomain("XN--BCHER-KVA.example")).toBe(prepareDomain("b\u00FCcher.example"));
});

test("cache: remembers both verdicts and never grows past its bound", () => {
  const cache = new JidCache(8);
  const first = cache.get("u0@example.com");
  for (let i = 0; i < 1_000; i++) {
    expect(cache.get(`u${i}@example.com`)?.local).toBe(`u${i}`);
    expect(cache.get("u0@example.com")).toBe(first); // in use all the time: kept
    expect(cache.get("not a jid@")).toBeUndefined();
  }
});

test("tables: the checked-in ones are what their script writes", (context) => {
  let written: string;
  try {
    written = execFileSync("/usr/bin/python3", ["scripts/precis-tables.py"], {
      maxBuffer: 1 << 22,
    }).toString();
  } catch {
    return context.skip("no python3 here");
  }
  const checkedIn = readFileSync("src/xmpp/precis-tables.ts", "utf8");
  const unicode = /Unicode ([0-9.]+)/;
  if (unicode.exec(written)?.[1] !== unicode.exec(checkedIn)?.[1]) {
    return context.skip("this python3 has another Unicode version");
  }
  expect(written).toBe(checkedIn);
});

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

// RFC 5892 appendix A.1; Persian \u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645, "I want", is a common word.
const nonJoiners: readonly (readonly [string, boolean])[] = [
  ["\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645", true], // dual-joining on both sides
  ["\u0646\u0627\u0645\u0647\u200C\u0627\u06CC", true], // dual, then right-joining
  ["\u0628\u064E\u200C\u064F\u0628", true], // vowel signs are transparent
  ["\uA872\u200C\uA840", true], // left-joining (Phags-pa), then dual
  ["\u0915\u094D\u200C\u0937", true], // after a virama
  ["\u0627\u200C\u0628", false], // alef joins nothing that follows
  ["\u0628\u200C\u0621", false], // hamza joins nothing at all
  ["\u0628\u200C", false],
  ["\u200C\u0628", false],
  ["\u064E\u200C\u0628", false],
  ["\u0628\u200C\u064E", false],
  ["\u0628\u200C\u200C\u0628", false],
  ["a\u200Cb", false],
  ["\u0628\u200D\u0628", false], // A.2: a joiner after a virama only
  ["\u0915\u094D\u200D\u0937", true],
];

test.each(nonJoiners)(
  "jid: joiners in a localpart, %j: %s [RFC 5892 A.1, A.2]",
  (local, allowed) => {
    expect(jidOf(local, "example.com", "")?.local).toBe(allowed ? local : undefined);
  },
);

test.each([
  ["[0:0:0:0:0:0:0:1]", "[::1]"],
  ["[2001:DB8::A]", "[2001:db8::a]"],
  ["[2001:0db8:0:0:1:0:0:1]", "[2001:db8::1:0:0:1]"],
  ["[::ffff:c000:0207]", "[::ffff:192.0.2.7]"],
])("domain: %s is %s [RFC 5952]", (text, canonical) => {
  expect(prepareDomain(text)).toBe(canonical);
  expect(parseJid(`a@${text}/r`)?.full).toBe(`a@${canonical}/r`);
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

test("cache: what it remembers of domains is what they mean, with more of them than it keeps", () => {
  const cache = new JidCache(8);
  for (let i = 0; i < 300; i++) {
    for (const domain of [`B\u00DCCHER${i}.example`, "b\u00FCcher.example", `xn--${i}`, "a..b"]) {
      const text = `u${i}@${domain}`;
      expect(cache.get(text)).toEqual(parseJid(text));
    }
  }
  expect(cache.get("u@B\u00DCCHER7.example")?.domain).toBe("b\u00FCcher7.example");
});

test("tables: the checked-in ones are what their script writes", (context) => {
  let written: string;
  try {
    written = execFileSync("/usr/bin/python3", ["scripts/precis-tables.py"], {
      maxBuffer: 1 << 22,
      stdio: "pipe",
    }).toString();
  } catch {
    return context.skip("no python3 here, or no perl of the same Unicode version");
  }
  const checkedIn = readFileSync("src/xmpp/precis-tables.ts", "utf8");
  const unicode = /Unicode ([0-9.]+)/;
  if (unicode.exec(written)?.[1] !== unicode.exec(checkedIn)?.[1]) {
    return context.skip("this python3 has another Unicode version");
  }
  expect(written).toBe(checkedIn);
});

/** Is whatever a client spells in its own way still the same address, and is it indeed spelled otherwise? */
import { expect, test } from "vitest";
import { OwnSpelling, prepared } from "../../sim/clients/spelling.ts";
import { stream } from "../../sim/kit/random.ts";
import { JidCache, prepareUsername } from "../../src/xmpp/jid.ts";

const addresses = [
  "chatter-1@meerkat.test/büro",
  "chatter-1@meerkat.test/a/b",
  "family@meerkat.test",
  "meerkat.test",
  "chatter-1@bücher.test/phone",
  "registrar-2-account-1-å@meerkat.test/Phone",
];

test.each(addresses)("%s, spelled in another way, is the same address", (address) => {
  const spelling = new OwnSpelling(stream(1, "spelling"));
  const written = Array.from({ length: 200 }, () => spelling.address(address));
  expect(new Set(written.map((address) => prepared(address, new JidCache(10))))).toEqual(
    new Set([address]),
  );
  expect(new Set(written).size).toBeGreaterThan(2);
});

test("names are spelled in capitals, in wide letters and not composed", () => {
  const spelling = new OwnSpelling(stream(2, "spelling"));
  const written = Array.from({ length: 200 }, () => spelling.user("anna-å"));
  expect(new Set(written.map(prepareUsername))).toEqual(new Set(["anna-å"]));
  for (const spelled of ["anna-å", "ANNA-Å", "Anna-å", "ANNA-A\u030a", "ａｎｎａ-å"]) {
    expect(written).toContain(spelled);
  }
});

test("what is no address is read as it is", () => {
  const known = new JidCache(10);
  expect(prepared("", known)).toBe("");
  expect(prepared("a@b@c", known)).toBe("a@b@c");
});

/** Offers: is what a server offers too early, too late or to the wrong client told from what it may? */
import { expect, test } from "vitest";
import { wrongOffer } from "../../sim/clients/offers.ts";
import type { Door } from "../../sim/plan.ts";

const at = (offered: readonly string[], door?: Door, secured = false, authenticated = false) =>
  wrongOffer(new Set(offered), { door, secured, authenticated });

test("offers: where TLS must come first, nothing else may be had before it", () => {
  expect(at(["starttls"])).toBeUndefined();
  expect(at(["starttls", "mechanisms", "SCRAM-SHA-256"])).toContain("where TLS must come first");
  expect(at(["starttls", "register"])).toContain("where TLS must come first");
  expect(at(["mechanisms", "SCRAM-SHA-256"])).toContain("no starttls");
});

test.each(["optional-tls", "in-the-clear"] as const)(
  "offers, %s: no password in the clear",
  (door) => {
    expect(at(["starttls", "mechanisms", "SCRAM-SHA-256", "register"], door)).toBeUndefined();
    expect(at(["starttls", "mechanisms", "PLAIN"], door)).toContain("PLAIN is offered");
    expect(at(["starttls", "mechanisms", "SCRAM-SHA-1-PLUS"], door)).toContain("-PLUS is offered");
    expect(at(["mechanisms", "SCRAM-SHA-256"], door)).toContain("no starttls");
  },
);

test("offers: behind TLS, from the start or not, it is not offered again", () => {
  for (const door of [undefined, "direct-tls"] as const) {
    expect(at(["mechanisms", "PLAIN", "SCRAM-SHA-1-PLUS"], door, true)).toBeUndefined();
    expect(at(["starttls", "mechanisms", "PLAIN"], door, true)).toContain("where TLS is");
    expect(at(["bind"], door, true)).toContain("not logged in");
    expect(at(["bind"], door, true, true)).toBeUndefined();
    expect(at(["bind", "mechanisms", "PLAIN"], door, true, true)).toContain("who is logged in");
  }
});

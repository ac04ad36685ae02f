/** RFC 6121 §8.5 as its text says it, written a second time: each addressee × each kind of stanza. */
import { expect, test } from "vitest";
import { deliveryRules } from "../../src/router/delivery-rules.ts";
import { Scene } from "./scene.ts";

const kinds: Readonly<Record<string, (to: string) => string>> = {
  "message normal": (to) => `<message to='${to}'><body>hi</body></message>`,
  "message chat": (to) => `<message type='chat' to='${to}'><body>hi</body></message>`,
  "message groupchat": (to) => `<message type='groupchat' to='${to}'><body>hi</body></message>`,
  "message headline": (to) => `<message type='headline' to='${to}'><body>hi</body></message>`,
  "message error": (to) => `<message type='error' to='${to}'><body>hi</body></message>`,
  presence: (to) => `<presence to='${to}'/>`,
  "presence subscription": (to) => `<presence type='subscribe' to='${to}'/>`,
  "presence probe": (to) => `<presence type='probe' to='${to}'/>`,
  "presence error": (to) => `<presence type='error' to='${to}'/>`,
  "iq request": (to) => `<iq type='get' id='1' to='${to}'><known xmlns='urn:test:known'/></iq>`,
  "iq response": (to) => `<iq type='result' id='1' to='${to}'/>`,
};

/** Romeo's resources where he is reachable: two of the highest priority, a lower, a negative, a silent. */
const everywhere: Readonly<Record<string, number | undefined>> = {
  orchard: 5,
  home: 5,
  away: 1,
  hidden: -1,
  silent: undefined,
};
const hiding = { hidden: -1, silent: undefined };
const refused = "error service-unavailable";

interface Row {
  readonly to: string;
  readonly resources: Readonly<Record<string, number | undefined>>;
  readonly fates: Readonly<Record<string, string>>;
}

const bareUnreachable = {
  "message normal": refused,
  "message chat": refused,
  "message groupchat": refused,
  "message headline": "-",
  "message error": "-",
  "presence subscription": "-",
  "presence probe": "-",
  "presence error": "-",
  "iq request": "handled",
  "iq response": "-",
};
const fullUnbound = {
  "message normal": refused,
  "message groupchat": refused,
  "message headline": refused,
  "message error": "-",
  presence: "-",
  "presence subscription": "-",
  "presence probe": "-",
  "presence error": "-",
  "iq request": refused,
  "iq response": "-",
};
function fullBound(resource: string): Readonly<Record<string, string>> {
  const all = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, resource]));
  return { ...all, "presence subscription": "-", "presence probe": "-" };
}

/** The rows of the rules; some of them twice, since the RFC reaches them in several ways. */
const rows: Readonly<Record<string, Row>> = {
  "bare, reachable": {
    to: "romeo@localhost",
    resources: everywhere,
    fates: {
      ...bareUnreachable,
      "message normal": "orchard home",
      "message chat": "orchard home",
      "message headline": "orchard home away",
      presence: "orchard home away hidden",
    },
  },
  "bare, unreachable: no account": {
    to: "nobody@localhost",
    resources: everywhere,
    fates: { ...bareUnreachable, presence: "-" },
  },
  "bare, unreachable: negative priority": {
    to: "romeo@localhost",
    resources: hiding,
    fates: { ...bareUnreachable, presence: "hidden" },
  },
  "full, bound": { to: "romeo@localhost/away", resources: everywhere, fates: fullBound("away") },
  "full, bound: negative priority": {
    to: "romeo@localhost/hidden",
    resources: everywhere,
    fates: fullBound("hidden"),
  },
  "full, bound: without presence": {
    to: "romeo@localhost/silent",
    resources: hiding,
    fates: fullBound("silent"),
  },
  "full, unbound, reachable": {
    to: "romeo@localhost/gone",
    resources: everywhere,
    fates: { ...fullUnbound, "message chat": "orchard home" },
  },
  "full, unbound, unreachable": {
    to: "romeo@localhost/gone",
    resources: hiding,
    fates: { ...fullUnbound, "message chat": refused },
  },
  "full, unbound, unreachable: no account": {
    to: "nobody@localhost/gone",
    resources: everywhere,
    fates: { ...fullUnbound, "message chat": refused },
  },
};

const cells = Object.entries(rows).flatMap(([row, { to, resources, fates }]) =>
  Object.entries(kinds).map(([kind, xml]) => ({
    row,
    kind,
    resources,
    xml: xml(to),
    fate: fates[kind],
  })),
);

test("delivery: every cell of the rules is stood for", () => {
  const names = new Set(Object.keys(rows).map((row) => row.split(":")[0]));
  expect([...names].toSorted()).toEqual(Object.keys(deliveryRules).toSorted());
  for (const row of Object.values(deliveryRules)) {
    expect(Object.keys(row).toSorted()).toEqual(Object.keys(kinds).toSorted());
  }
  expect(cells).toHaveLength(9 * 11);
});

test.each(cells)("delivery: $kind to $row → $fate [RFC 6121 §8.5]", (cell) => {
  const scene = new Scene();
  const juliet = scene.bind("juliet@localhost/balcony", 0);
  for (const [resource, priority] of Object.entries(cell.resources)) {
    scene.bind(`romeo@localhost/${resource}`, priority);
  }
  expect(cell.fate).toBeDefined();
  expect(scene.fate(juliet, cell.xml)).toBe(cell.fate);
});

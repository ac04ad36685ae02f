/** Answers that take their time: whose are they when they come? */
import { expect, test } from "vitest";
import { SmallNode } from "./small-node.ts";

const change =
  "<iq type='set' id='change'><query xmlns='jabber:iq:register'>" +
  "<username>juliet</username><password>other</password></query></iq>";

test("traffic: an answer is its asker's, not of who has taken the asker's name meanwhile", () => {
  for (const replaced of [false, true]) {
    const node = new SmallNode();
    const asker = node.login("juliet", "balcony");
    const withheld = (node.withheld = []);
    node.send(asker, change);
    node.withheld = undefined;
    expect(withheld).toHaveLength(1);
    const young = replaced ? node.login("juliet", "balcony") : asker;
    expect(node.closed.has(asker)).toBe(replaced);
    for (const answer of withheld) node.deliver(answer);
    expect(node.read(young).includes("id='change'")).toBe(!replaced);
  }
});

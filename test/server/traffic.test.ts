/** What is too late: answers for who is gone, and stanzas behind the one that ended their stream. */
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

test("traffic: of what a client sent together nothing counts behind what ended its stream [RFC 6120 §4.9.1.1]", () => {
  const node = new SmallNode();
  const romeo = node.login("romeo", "orchard");
  const juliet = node.login("juliet", "balcony");
  const message = (id: string, from = ""): string =>
    `<message${from} to='romeo@localhost/orchard' type='chat' id='${id}'/>`;
  node.send(
    juliet,
    message("before") + message("forged", " from='nurse@localhost'") + message("late"),
  );
  expect(node.read(juliet)).toContain("<invalid-from");
  expect(node.read(romeo).match(/(?<=id=')\w+(?='\/>)/g)).toEqual(["before"]);
});

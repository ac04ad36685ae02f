/** Which node is to have the answer to a request of another node's client. */
import { expect, test } from "vitest";
import { Askers, askersMax } from "../../src/router/askers.ts";
import { originOf, type Transit } from "../../src/router/stanza-frame.ts";
import { stanza } from "./scene.ts";
import { SplitScene, there } from "./split-scene.ts";

const juliet = "juliet@localhost/balcony";
const orchard = "romeo@localhost/orchard";
const elsewhere = { ...there, name: "n3" };
/** On its way from elsewhere, where it was asked. */
const transit: Transit = { ...transitOf(originOf(elsewhere)), home: elsewhere };
const ping = stanza(`<iq from='${juliet}' to='${orchard}' type='get' id='1'><x xmlns='x'/></iq>`);
const pong = `<iq to='${juliet}' type='result' id='1'/>`;

function transitOf(origin: string): Transit {
  return { id: { origin, counter: 1 }, maybe: false, hops: 0, target: orchard };
}

test("askers: each answer goes where its request came from, once; who asks the same again has moved", () => {
  const askers = new Askers();
  askers.note(juliet, "1", there);
  askers.note(juliet, "2", there);
  askers.note(juliet, "1", elsewhere);
  expect(askers.take(orchard, "1")).toBe(undefined);
  expect(askers.take(juliet, "2")).toBe(there);
  expect([1, 2].map(() => askers.take(juliet, "1"))).toEqual([elsewhere, undefined]);
});

test("askers: so many are remembered, and the oldest is forgotten", () => {
  const askers = new Askers();
  for (let id = 0; id <= askersMax; id += 1) askers.note(juliet, `${id}`, there);
  expect(askers.take(juliet, "0")).toBe(undefined);
  expect([1, askersMax].map((id) => askers.take(juliet, `${id}`))).toEqual([there, there]);
});

test("askers: an answer goes to the node that asked, though another node, or this one, has its asker's name", () => {
  const scene = new SplitScene();
  const romeo = scene.bind(orchard, 0);
  const answers = () => scene.send(romeo, pong);
  for (const bind of [() => scene.bindThere(juliet, 0), () => scene.bind(juliet, 0)]) {
    bind();
    scene.router.reroute(ping, transit, elsewhere);
    expect(answers()).toMatchObject([
      { type: "forward", peer: elsewhere, target: juliet, from: orchard },
    ]);
  }
  expect(answers()).toMatchObject([{ type: "deliver", session: { jid: { full: juliet } } }]);
});

const condition = "recipient-unavailable";

test("askers: of a request that came to nothing the node that asked is told, whoever else has that name", () => {
  for (const bind of ["bindThere", "bind"] as const) {
    const scene = new SplitScene();
    scene[bind](juliet, 0);
    const told = [{ type: "forward", peer: elsewhere, stanza: { type: "error" } }];
    expect(scene.router.bounce(ping, juliet, orchard, condition, elsewhere)).toMatchObject(told);
    // It began here: by name.
    expect(scene.router.bounce(ping, juliet, orchard, condition)).not.toMatchObject(told);
  }
});

test("askers: of a message, too, while a session of its sender's name is seen there; else whoever has that name", () => {
  const scene = new SplitScene();
  scene.bind(juliet, 0);
  const message = stanza(`<message from='${juliet}' to='${orchard}' type='chat' id='1'/>`);
  const bounced = () => [
    scene.router.bounce(message, juliet, orchard, condition, there),
    scene.router.reroute(message, { ...transit, home: there }, there),
  ];
  const here = [{ type: "deliver", session: { jid: { full: juliet } }, stanza: { type: "error" } }];
  expect(bounced()).toMatchObject([here, here]); // she has moved
  scene.bindThere(juliet, 0);
  const back = [{ type: "forward", peer: there, target: juliet, stanza: { type: "error" } }];
  expect(bounced()).toMatchObject([back, back]);
});

test("askers: who has moved here and asks the same again is answered here", () => {
  const scene = new SplitScene();
  const romeo = scene.bind(orchard, 0);
  const request = `<iq to='${orchard}' type='get' id='1'><x xmlns='x'/></iq>`;
  const moved = scene.bind(juliet, 0);
  for (const askAgain of [
    () => scene.send(moved, request),
    // It had left for another node, which had no such session any more, and came back.
    () => scene.router.reroute(ping, transitOf("0000000000000001 here"), elsewhere),
  ]) {
    scene.router.reroute(ping, transit, elsewhere);
    askAgain();
    expect(scene.send(romeo, pong)).toMatchObject([{ type: "deliver", session: moved }]);
  }
});

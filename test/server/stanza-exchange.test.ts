/** Stanzas that leave for other nodes. */
import { Element } from "ltx";
import { expect, test } from "vitest";
import { bytesFromBinary } from "../../src/base/bytes.ts";
import { Piece } from "../../src/base/chunk.ts";
import type { Peer } from "../../src/cluster/peer.ts";
import { originOf } from "../../src/router/stanza-frame.ts";
import { StanzaExchange, type Forward } from "../../src/server/stanza-exchange.ts";
import { Stanza } from "../../src/xmpp/stanza.ts";
import { Scene, stanza } from "../router/scene.ts";

const self = { name: "n1", incarnation: 1, boot: "0123456789abcdef" };
const peer = { name: "n2", incarnation: 1, boot: "fedcba9876543210" };
const target = "romeo@localhost/orchard";
const message = stanza(`<message to='${target}'/>`);

function scene(reachable = true) {
  const bodies: string[] = [];
  const exchange = new StanzaExchange(self, (_peer, _kind, body) => {
    bodies.push(body);
    return reachable;
  });
  const last = () => exchange.read(Piece.of(bytesFromBinary(bodies.at(-1) ?? ""))).transit;
  return { exchange, bodies, last };
}

const fresh: Forward = { type: "forward", peer, target, stanza: message };

test("exchange: a stanza gets its id where it begins and keeps it from node to node", () => {
  const { exchange, last } = scene();
  expect(exchange.forward(fresh, undefined)).toBe("sent");
  const first = last();
  expect(first).toMatchObject({ hops: 0, maybe: false, target });
  exchange.forward({ ...fresh, transit: { ...first, maybe: true } }, undefined);
  expect(last()).toEqual({ ...first, hops: 1, maybe: true });
  exchange.forward(fresh, undefined);
  expect(last().id).not.toEqual(first.id);
});

test("exchange: copies have one id", () => {
  const { exchange, last } = scene();
  const id = exchange.mint();
  exchange.forward(fresh, id);
  const one = last();
  exchange.forward({ ...fresh, target: "romeo@localhost/tomb" }, id);
  expect(last().id).toEqual(one.id);
});

test("exchange: a frame's home is the node that began it, whoever passes it on, as long as that has a link", () => {
  const { exchange, bodies, last } = scene();
  const other = { ...peer, name: "n3" };
  const read = (via?: Peer) =>
    exchange.read(Piece.of(bytesFromBinary(bodies.at(-1) ?? "")), via).transit.home;
  exchange.forward(fresh, undefined);
  expect(read(peer)).toBe(peer); // as it would be if n2 had begun it
  expect(last().home).toBeUndefined(); // ours, back from a lost link
  const transit = { ...last(), id: { origin: originOf(peer), counter: 1 } };
  exchange.forward({ ...fresh, transit }, undefined);
  expect(read(other)).toBeUndefined();
  exchange.peerUp(peer);
  expect([read(other), read()]).toEqual([peer, peer]);
  exchange.peerDown(peer);
  expect(read(other)).toBeUndefined();
});

test("exchange: nothing more is sent to a peer whose queue is full, or that has no link", () => {
  const { exchange, bodies } = scene();
  exchange.setFull(peer, true);
  expect(exchange.forward(fresh, undefined)).toBe("full");
  expect(bodies).toEqual([]);
  exchange.setFull(peer, false);
  expect(exchange.forward(fresh, undefined)).toBe("sent");
  expect(scene(false).exchange.forward(fresh, undefined)).toBe("unreachable");
});

test("exchange: answers and errors pass a full queue, since their refusal could be told to nobody", () => {
  const { exchange, bodies } = scene();
  exchange.setFull(peer, true);
  for (const last of [
    `<iq type='result' id='1' to='${target}'/>`,
    `<iq type='error' id='1' to='${target}'/>`,
    `<message type='error' to='${target}'/>`,
  ]) {
    expect(exchange.forward({ ...fresh, stanza: stanza(last) }, undefined)).toBe("sent");
  }
  const request = stanza(`<iq type='get' id='1' to='${target}'><q xmlns='q'/></iq>`);
  expect(exchange.forward({ ...fresh, stanza: request }, undefined)).toBe("full");
  expect(bodies).toHaveLength(3);
});

test("exchange: stanzas of two nodes are two, also when their counters are the same", () => {
  const { exchange } = scene();
  const session = new Scene().bind(target);
  const ids = ["n1", "n2"].map((name) => ({ origin: `0123456789abcdef ${name}`, counter: 1 }));
  const arrive = () => ids.map((id) => exchange.arrive(session, id, true));
  expect([arrive(), arrive()]).toEqual([
    [true, true],
    [false, false],
  ]);
});

test("exchange: what no link takes whole is refused", () => {
  const { exchange, bodies } = scene();
  const body = "x".repeat(16 * 1_048_576);
  const large = Stanza.of(new Element("message", { to: target }).c("body").t(body).root());
  expect(exchange.forward({ ...fresh, stanza: large }, undefined)).toBe("too-large");
  expect(bodies).toEqual([]);
});

test("exchange: an id is that of the node that minted it, whoever reads the frame", () => {
  const { exchange, bodies, last } = scene();
  exchange.forward(fresh, undefined);
  const body = Piece.of(bytesFromBinary(bodies.at(-1) ?? ""));
  expect(last().id.origin).toBe(originOf(self)); // one of ours that has come back
  expect(exchange.read(body, peer).transit.id.origin).toBe(originOf(peer)); // the same bytes from there
  exchange.forward(
    { ...fresh, transit: { ...last(), id: { origin: "third", counter: 9 } } },
    undefined,
  );
  const onwards = Piece.of(bytesFromBinary(bodies.at(-1) ?? ""));
  expect(exchange.read(onwards, peer).transit.id).toEqual({ origin: "third", counter: 9 });
});

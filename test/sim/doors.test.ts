/** Doors: does a client that comes in by any of them get as far as by the usual one, and is its server held to what it is? */
import { expect, test } from "vitest";
import { runPorts } from "../../sim/cli/ports.ts";
import { messageFrame, Messages, pingFrame } from "../../sim/kit/messages.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { doors, listenerOf, type Door, type Plan } from "../../sim/plan.ts";
import { attacksOverWebSocket } from "../../sim/workloads/attacks.ts";
import { run } from "../../sim/run.ts";
import type { TraceEvent } from "../../sim/trace.ts";
import { bytesFromText, textFromBytes } from "../../src/base/bytes.ts";

function planOf(door: Door, behaviours: readonly ("chatter" | "vanisher" | "reconnecter")[]): Plan {
  const drawn = planFromSeed(3, {
    ...{ ...profiles.small, nodes: [2], clients: 6, behaviours: ["vanisher", "reconnecter"] },
    ...{ faults: false, safety: 20_000 },
  });
  const clients = drawn.clients.map((client, index) => {
    const { behaviour } = client;
    const chat = {
      everyMs: [500, 2_000],
      peers: "peers" in behaviour ? behaviour.peers : [],
    } as const;
    const kind = behaviours[index % behaviours.length] ?? "chatter";
    const mechanism = index % 2 === 0 ? ("SCRAM-SHA-256-PLUS" as const) : ("PLAIN" as const);
    const livesMs = [2_000, 8_000] as const;
    const changed =
      kind === "chatter"
        ? { kind, ...chat }
        : kind === "reconnecter"
          ? { kind, ...chat, livesMs }
          : { kind, ...chat, livesMs, silent: true };
    return { ...client, door, mechanism, pipelines: index === 2, behaviour: changed };
  });
  return { ...drawn, clients };
}

test.each(doors)(
  "doors, %s: whoever comes in by it is online, and is sent what is for it",
  (door) => {
    const seen: TraceEvent[] = [];
    const plan = planOf(door, ["chatter", "reconnecter", "vanisher"]);
    const { failures, verdicts } = run(plan, {
      ...runPorts(),
      sinks: [(event: TraceEvent) => void seen.push(event)],
    });
    expect(failures).toEqual([]);
    for (const oracle of ["conservation", "progress", "ghosts", "patience"]) {
      expect(verdicts[oracle]?.judged).toBeGreaterThan(5);
    }
    const opened = seen.filter(
      ({ kind, data }) =>
        kind === "connection-opened" && data.login !== "n1" && data.login !== "n2",
    );
    const listeners = new Set(
      opened.map(({ kind, data }) => kind === "connection-opened" && data.listener),
    );
    expect(listeners).toEqual(new Set([listenerOf(door)]));
    const secured = seen.some(({ kind }) => kind === "login-secured");
    expect(secured).toBe(door !== "in-the-clear");
  },
);

test("doors: whoever breaks the rules of messages is refused, each time", () => {
  const { clients, ...plan } = planOf("websocket", ["chatter"]);
  const hostile = clients.slice(0, 1).map((client) => ({
    ...client,
    behaviour: {
      ...({ kind: "hostile", everyMs: [100, 200] } as const),
      attacks: [...attacksOverWebSocket, "comment"],
    },
  }));
  const seen = new Set<string>();
  const sink = ({ kind, data }: TraceEvent): void => {
    if (kind === "attack-answered") seen.add(data.attack);
  };
  const { failures, verdicts } = run(
    { ...plan, clients: hostile },
    { ...runPorts(), sinks: [sink] },
  );
  expect(failures).toEqual([]);
  // What is an attack on a stream alone is left out.
  expect(seen).toEqual(new Set(attacksOverWebSocket));
  expect(verdicts["refusals"]?.judged).toBeGreaterThan(attacksOverWebSocket.length);
});

test("messages: whole ones come out, wherever they are cut, and no sign of life does", () => {
  const texts = ["<open/>", "", "p7:m", "ä€😀"];
  const bytes =
    texts
      .map((text) => pingFrame + messageFrame(String.fromCharCode(...bytesFromText(text))))
      .join("") + pingFrame;
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const messages = new Messages();
    const pieces = [bytes.slice(0, cut), bytes.slice(cut)];
    const read = pieces.flatMap((piece) =>
      messages.read(Uint8Array.from(piece, (byte) => byte.charCodeAt(0))),
    );
    expect(read.map((each) => textFromBytes(each))).toEqual(texts);
  }
});

/** Tale: a hand-made trace of a few clients, and what an oracle says of it. */
import { bodyOf } from "../../sim/clients/wording.ts";
import { makeOracles } from "../../sim/oracles/index.ts";
import type { Verdict } from "../../sim/oracles/oracle.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import type { Plan } from "../../sim/plan.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../../sim/trace.ts";

const alone = planFromSeed(1, profiles.one);

export const plan: Plan = {
  ...alone,
  topology: withoutNoise(alone),
  faults: [],
  clients: [
    row("alice", { kind: "chatter", everyMs: [1, 1], peers: [] }),
    row("bob", { kind: "chatter", everyMs: [1, 1], peers: [] }),
    row("eve", { kind: "impostor", everyMs: [1, 1] }),
    row("mallory", { kind: "hostile", everyMs: [1, 1], attacks: [] }),
  ],
};

function row(name: string, behaviour: Plan["clients"][number]["behaviour"]) {
  const mechanism = "PLAIN" as const;
  const home = { nodes: ["n1"], roams: false };
  return { name, ...home, user: name, resource: "x", mechanism, startAt: 0, behaviour };
}

/** A hand-made trace; each event one millisecond after the other unless time is passed. */
export class Tale {
  readonly events: TraceEvent[] = [];
  #at = 0;
  #place = "here";

  /** Where what follows happens. */
  at(place: string): this {
    this.#place = place;
    return this;
  }

  then<K extends TraceKind>(kind: K, data: TraceKinds[K]): this {
    this.#at += 1;
    this.events.push({ at: this.#at, place: this.#place, kind, data } as unknown as TraceEvent);
    return this;
  }

  wait(ms: number): this {
    this.#at += ms;
    return this;
  }

  online(login: string, jid: string): this {
    const user = jid.split("@")[0] ?? "";
    return this.then("login-started", { login, user, node: "n1" })
      .then("connection-opened", {
        connection: this.events.length,
        login,
        listener: "c2s",
        dial: 0,
      })
      .then("login-bound", { login, jid });
  }

  sends(login: string, id: string, to: string): this {
    return this.then("message-sent", { login, id, to });
  }

  receives(login: string, id: string, from: string, to: string, body = bodyOf(id, 0)): this {
    return this.then("message-received", { login, id, from, to, body });
  }

  verdict(oracle: string, of = plan): Verdict {
    const made = makeOracles(of).find((each) => each.name === oracle);
    if (made === undefined) throw new Error(`no oracle ${oracle}`);
    for (const event of this.events) made.see(event);
    return made.judge();
  }
}

export const alice = "alice@meerkat.test/x";
export const bob = "bob@meerkat.test/x";
export const both = (): Tale => new Tale().online("alice#1", alice).online("bob#1", bob);

function withoutNoise({ topology }: Plan): Plan["topology"] {
  return { ...topology, network: { ...topology.network, noise: undefined } };
}

/** Alice at n1 and Bob at n2, two nodes of a cluster; their peers' names beside it. */
export function apart(): { readonly tale: Tale; readonly n1: string; readonly n2: string } {
  const [n1, n2] = ["n1#1.aa", "n2#2.bb"];
  const tale = new Tale();
  for (const [node, peer, login, jid] of [
    ["n1", n1, "alice#1", alice],
    ["n2", n2, "bob#1", bob],
  ] as const) {
    tale.at(node).then("cluster-joined", { peer });
    tale.then("login-started", { login, user: login.split("#")[0] ?? "", node });
    tale.then("login-bound", { login, jid });
  }
  return { tale, n1, n2 };
}

/**
 * Simulation: has never more than one tenant the lock, whatever the network does?
 *
 * One history on the simulated network: the landlord is a node of it, tenants are its clients. All but the
 * protocol comes from sim/kit.
 */
import { textFromBytes } from "../../src/base/bytes.ts";
import { clientOf, SimulatedNetwork } from "../../sim/kit/network.ts";
import { byMoment, stream } from "../../sim/kit/random.ts";
import { shrinkHere } from "../../sim/kit/shrink.ts";
import { TraceHash } from "../../sim/kit/trace-hash.ts";
import { scheduleTroubles } from "../../sim/kit/troubles.ts";
import { World } from "../../sim/kit/world.ts";
import { Landlord, Tenant, type CountsFrom } from "./lease.ts";
import { passes, type Plan } from "./plan.ts";

/** What a slow line adds. */
const slowMs = 800;

export class Simulation {
  readonly story: string[] = [];
  /** What the oracle says; undefined: nothing is wrong. */
  failure: string | undefined;
  readonly #plan: Plan;
  readonly #world = new World();
  readonly #network: SimulatedNetwork;
  readonly #tenants = new Map<string, Tenant>();
  readonly #hash = new TraceHash();

  constructor(plan: Plan, countsFrom: CountsFrom) {
    this.#plan = plan;
    const pipe = { latencyMs: [1, 20], cutChance: 0.1, windowBytes: 10_000 } as const;
    this.#network = new SimulatedNetwork({
      world: this.#world,
      draws: byMoment(plan.seed, () => this.#world.now()),
      pipe,
    });
    for (const name of plan.tenants) this.#tenants.set(name, new Tenant(countsFrom));
  }

  run(): this {
    this.#listen();
    for (const [name, tenant] of this.#tenants) this.#settle(name, tenant, 1);
    this.#scheduleFaults();
    this.#world.runUntil(this.#plan.forMs);
    return this;
  }

  /** Same plan and same code, same hash. */
  hash(): string {
    return this.#hash.text(this.story.length);
  }

  #listen(): void {
    const landlord = new Landlord();
    const port = this.#network.attach("landlord", {
      deliver: (input, login) => {
        if (input.type !== "bytes-received") return;
        const answer = landlord.answer(clientOf(login), this.#world.now());
        this.#tell("landlord", `answers ${clientOf(login)}: ${answer}`);
        port.write(input.connection, answer);
        port.flush();
      },
      onSent: () => undefined,
    });
  }

  /** Asks every now and then, and comes back when its connection is lost. */
  #settle(name: string, tenant: Tenant, login: number): void {
    const world = this.#world;
    const random = stream(this.#plan.seed, `tenant/${name}#${login}`);
    const askLater = (): void => {
      world.after(random.between(500, 3_000), () => wire.write(tenant.ask(world.now())));
    };
    const wire = this.#network.connect({
      login: `${name}#${login}`,
      node: "landlord",
      listener: "lease",
      remote: name,
      serverName: "landlord",
      tlsFirst: false,
      events: {
        opened: askLater,
        received: (bytes) => {
          if (tenant.hears(textFromBytes(bytes), world.now())) this.#judge(name, tenant);
          askLater();
        },
        secured: () => undefined,
        closed: () => world.after(500, () => this.#settle(name, tenant, login + 1)),
      },
    });
  }

  /** The oracle: who gets the lock is the only one who has it. */
  #judge(name: string, { until }: Tenant): void {
    const now = this.#world.now();
    this.#tell(name, `has the lock until ${until} ms`);
    for (const [other, tenant] of this.#tenants) {
      if (other === name || tenant.until <= now || until <= now) continue;
      this.failure ??= `${name} and ${other} have the lock at ${now} ms`;
    }
  }

  #scheduleFaults(): void {
    const network = this.#network;
    scheduleTroubles(this.#world, this.#plan.faults, {
      start: ({ kind, target }) => {
        this.#tell(target, `is ${kind}`);
        if (kind === "deaf") network.fabric.cut("landlord", target);
        else if (kind === "slow") network.fabric.delays.begin(target, slowMs);
        else network.reset(target);
      },
      end: ({ kind, target }) => {
        this.#tell(target, `is no longer ${kind}`);
        if (kind === "deaf") network.fabric.mend("landlord", target);
        else if (kind === "slow") network.fabric.delays.end(target, slowMs);
      },
    });
  }

  #tell(who: string, what: string): void {
    const now = this.#world.now();
    this.#hash.mix(now);
    this.#hash.mixText(who);
    this.#hash.mixText(what);
    this.story.push(`${now} ms: ${who} ${what}`);
  }
}

export function smallest(plan: Plan, countsFrom: CountsFrom): Plan {
  const fails = (each: Plan): boolean =>
    new Simulation(each, countsFrom).run().failure !== undefined;
  return shrinkHere(plan, passes, { fails });
}

/**
 * Node lists: which nodes do the name server and the files name, and since when?
 *
 * The name has the addresses of the nodes whose processes run, as a service of Kubernetes without an address
 * of its own has; the file on each machine has the nodes that have come and not left in order, as whoever
 * configures them writes it. Both learn a moment late what has become of a node.
 */
import { SimulatedLookups } from "./ports/resolver.ts";
import { nodeAddressOf, clusterPort, ipOf, nodeListFile, nodesName } from "./config.ts";
import type { World } from "./kit/world.ts";
import type { Draws } from "./kit/random.ts";
import type { LookupFaultKind, Plan } from "./plan.ts";
import type { TraceEvent } from "./trace.ts";

const learntAfterMs = 300;

export class NodeLists {
  readonly lookups: SimulatedLookups;
  readonly #plan: Plan;
  readonly #world: World;
  readonly #running = new Set<string>();
  readonly #belonging = new Set<string>();

  constructor(
    plan: Plan,
    world: World,
    draws: Draws,
    onTroubled: (node: string, trouble: LookupFaultKind) => void,
  ) {
    this.#plan = plan;
    this.#world = world;
    this.lookups = new SimulatedLookups({
      world,
      onTroubled,
      random: (node) => draws(`resolver/${node}`),
      latencyMs: plan.topology.database.latencyMs,
    });
    this.#write();
  }

  see({ kind, place }: TraceEvent): void {
    switch (kind) {
      case "node-started":
        return this.#learn(() => {
          this.#running.add(place);
          this.#belonging.add(place);
        });
      case "node-killed":
      case "node-crashed":
        return this.#learn(() => void this.#running.delete(place));
      case "node-stopped":
        return this.#learn(() => {
          this.#running.delete(place);
          this.#belonging.delete(place);
        });
      default:
    }
  }

  #learn(what: () => void): void {
    this.#world.after(learntAfterMs, () => {
      what();
      this.#write();
    });
  }

  #write(): void {
    const { nodes } = this.#plan.topology;
    const names = nodes.map(({ name }) => name);
    const running = names.filter((name) => this.#running.has(name));
    this.lookups.setName(
      nodesName,
      running.map((name) => ipOf(this.#plan, name)),
    );
    const lines = names
      .filter((name) => this.#belonging.has(name))
      .map((name) => `${name} ${nodeAddressOf(this.#plan, name)}\n`);
    const text = `# the nodes of our cluster; port ${clusterPort} unless said otherwise\n${lines.join("")}`;
    for (const name of names) this.lookups.setFile(name, nodeListFile, text);
  }
}

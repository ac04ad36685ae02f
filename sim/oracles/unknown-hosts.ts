/**
 * Unknown hosts: is a stanza refused as for another server just where its addressee is not of this one?
 *
 * RFC 6120 §10.4: who serves several hosts routes among them as within one, and knows of no other.
 */
import { domainOf } from "../addresses.ts";
import { servedHosts, type Plan } from "../plan.ts";

const notOurs = "remote-server-not-found";

export class UnknownHosts {
  readonly #served: ReadonlySet<string>;

  constructor(plan: Pick<Plan, "topology">) {
    this.#served = new Set(servedHosts(plan));
  }

  /** What is wrong with such an answer to what was sent there, as a sentence; undefined: nothing. */
  wrong(id: string, to: string, condition: string): string | undefined {
    if (to === "") return undefined;
    const served = this.#served.has(domainOf(to));
    if (served !== (condition === notOurs)) return undefined;
    return `${id} to ${to}, a host that is ${served ? "" : "not "}served, was answered ${condition}`;
  }
}

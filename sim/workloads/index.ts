/** Workloads: which behaviour starts which clients. */
import type { Actor } from "../clients/actor.ts";
import { startChatter } from "./chatter.ts";
import { startFlooder } from "./flooder.ts";
import { startHostile } from "./hostile.ts";
import { startImpostor } from "./impostor.ts";
import { startNonReader } from "./non-reader.ts";
import { startReconnecter } from "./reconnecter.ts";
import { startRegistrar } from "./registrar.ts";
import { startRival } from "./rival.ts";
import { startVanisher } from "./vanisher.ts";

export function startWorkload(actor: Actor): void {
  const { behaviour } = actor.plan;
  switch (behaviour.kind) {
    case "chatter":
      return startChatter(actor, behaviour);
    case "vanisher":
      return startVanisher(actor, behaviour);
    case "reconnecter":
      return startReconnecter(actor, behaviour);
    case "rival":
      return startRival(actor, behaviour);
    case "non-reader":
      return startNonReader(actor, behaviour);
    case "flooder":
      return startFlooder(actor, behaviour);
    case "impostor":
      return startImpostor(actor, behaviour);
    case "registrar":
      return startRegistrar(actor, behaviour);
    case "hostile":
      return startHostile(actor, behaviour);
    default:
      return behaviour satisfies never; // a client that does nothing would fail nothing
  }
}

/**
 * Flooder: sends bursts of larger messages, so that queues fill; to those who now and then stop reading
 * more than their queues hold.
 */
import type { Actor } from "../clients/actor.ts";
import type { Client } from "../clients/client.ts";
import { addressOf } from "../addresses.ts";
import type { Range } from "../plan.ts";
import { logInAgain } from "./chatter.ts";

export interface Flood {
  readonly everyMs: Range;
  readonly burst: number;
  readonly bytes: number;
  readonly peers: readonly string[];
}

export function startFlooder(actor: Actor, flood: Flood): void {
  actor.whenOnline((client) => floodOn(actor, client, flood));
  actor.whenEnded(() => actor.within([500, 3_000], () => logInAgain(actor)));
  actor.after(actor.plan.startAt, () => logInAgain(actor));
}

function floodOn(actor: Actor, client: Client, flood: Flood): void {
  actor.within(flood.everyMs, () => {
    const { setUp, safety } = actor.runPlan.duration;
    if (actor.online() !== client || actor.now() > setUp + safety) return;
    const { peer, burst } = target(actor, flood);
    const sends = client.flushed() ? burst : 0;
    for (let sent = 0; sent < sends; sent++) client.say.message(peer, flood.bytes);
    floodOn(actor, client, flood);
  });
}

/** At most so many messages at once, however long a queue may be. */
const burstMax = 100;

function target(actor: Actor, { peers, burst, bytes }: Flood): { peer: string; burst: number } {
  const { clients, faults, limits } = actor.runPlan;
  const sleepers = clients.filter(
    ({ name, behaviour }) =>
      behaviour.kind === "non-reader" ||
      faults.some(({ kind, target }) => kind === "stop-reading" && target === name),
  );
  if (sleepers.length === 0 || actor.random.chance(0.2)) {
    return { peer: actor.random.pick(peers), burst };
  }
  const { user, resource } = actor.random.pick(sleepers);
  return {
    peer: addressOf(user, resource),
    burst: Math.min(burstMax, Math.ceil((2 * limits.maxSendQueue) / bytes)),
  };
}

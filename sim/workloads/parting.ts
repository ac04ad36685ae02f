/**
 * Parting: how does a client that logs out in order go?
 *
 * Most close their stream, and no more. Some stop reading, as who is busy does, ask several things all the same,
 * close it, and only then read what waits for them: all that their own node answers must be in it.
 */
import type { Actor } from "../clients/actor.ts";
import type { Client } from "../clients/client.ts";
import type { Range } from "../plan.ts";
import { addressOf, bareOf, hostOf } from "../addresses.ts";
import type { Random } from "../kit/random.ts";

/** Between two steps: long enough for the node to have read all, on most lines, and too short for it to lose patience. */
const meanwhileMs: Range = [500, 1_500];
/** At least, of one. */
const answerBytes = 100;
/** What its line no longer holds waits at its node. */
const lastQuestions = 8;

export function part(actor: Actor, client: Client): void {
  const { partsAsking } = actor.plan;
  if (partsAsking === undefined) return client.leave();
  const { windowBytes, congestionMarkBytes } = actor.runPlan.topology.network;
  const fills = Math.ceil((windowBytes + congestionMarkBytes) / answerBytes);
  /** Of its own: how it goes moves nothing else. */
  const draws = actor.stream(`parting/${client.login}`);
  client.setReading(false);
  ask(actor, client, Math.min(fills, partsAsking), draws);
  actor.after(draws.between(...meanwhileMs), () => {
    if (client.state !== "online") return;
    ask(actor, client, lastQuestions, draws);
    client.leave();
    actor.after(draws.between(...meanwhileMs), () => client.setReading(true));
  });
}

/** Its node itself answers most of it. */
function ask({ plan, runPlan }: Actor, client: Client, count: number, draws: Random): void {
  const host = hostOf(plan.user);
  const own = bareOf(client.jid);
  for (let asked = 0; asked < count; asked++) {
    const die = draws.int(5);
    if (die === 4) client.say.ping(addressOf(draws.pick(runPlan.clients).user));
    else if (die === 3) client.say.unknown(host);
    else client.say.ping(["", own, host][die] ?? "");
  }
}

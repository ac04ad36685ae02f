/** Chatter: says something to one of its peers every so often, and comes back when thrown out. */
import { domainOf } from "../addresses.ts";
import type { Actor } from "../clients/actor.ts";
import type { Client } from "../clients/client.ts";
import type { Chat, Range } from "../plan.ts";

/** How long a client waits before it logs in again: short enough for the liveness phase. */
const comesBackMs: Range = [500, 3_000];

export function startChatter(actor: Actor, chat: Chat): void {
  actor.whenOnline((client) => chatOn(actor, client, chat));
  actor.whenEnded(() => actor.within(comesBackMs, () => logInAgain(actor)));
  actor.after(actor.plan.startAt, () => logInAgain(actor));
}

/** Only where no login is under way: another end may have asked for one already. */
export function logInAgain(actor: Actor): void {
  if (actor.client() === undefined) actor.logIn();
}

/** Goes on for as long as this very login is online. */
export function chatOn(actor: Actor, client: Client, chat: Chat): void {
  actor.within(chat.everyMs, () => {
    if (actor.online() !== client) return;
    saySomething(actor, client, chat);
    chatOn(actor, client, chat);
  });
}

/** Optional parts draw only where the plan has them: older plans run as they did. */
function saySomething(actor: Actor, client: Client, chat: Chat): void {
  const { random } = actor;
  const { peers, types, moods, absences, asks, longBytes, greets } = chat;
  if (absences !== undefined && random.chance(absences)) return client.say.presence(false);
  if (moods !== undefined && random.chance(moods)) {
    client.say.presence(true, random.pick([-1, 0, 0, 1, 5]));
    // Who reads of it must know it by then.
    if (asks !== undefined && peers.length > 0) client.say.message(random.pick(peers), 10);
    return;
  }
  if (asks !== undefined && peers.length > 0 && random.chance(asks)) {
    return client.say.ping(random.pick(peers));
  }
  if (longBytes !== undefined && peers.length > 0 && random.chance(0.25)) {
    return client.say.message(random.pick(peers), longBytes);
  }
  if (greets !== undefined && peers.length > 0 && random.chance(greets)) {
    return client.say.directed(random.pick(peers), random.chance(0.8));
  }
  const die = random.int(20);
  if (die < 13 && peers.length > 0) {
    const peer = random.pick(peers);
    // A burst of several shows what happens to order.
    const count = random.chance(0.2) ? random.between(2, 6) : 1;
    const type = types === undefined ? "chat" : random.pick(types);
    for (let sent = 0; sent < count; sent++) {
      client.say.message(peer, random.pick([10, 100, 700]), type);
    }
  } else if (die < 15) client.say.ping("");
  else if (die < 17 && peers.length > 0) client.say.ping(random.pick(peers));
  else if (die < 18) client.say.unknown("");
  else if (die < 19) client.say.presence(true, random.pick([-1, 0, 0, 5]));
  else client.say.unknown(domainOf(client.jid));
}

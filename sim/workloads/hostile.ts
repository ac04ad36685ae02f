/** Hostile: logs in up to some stage, sends what no client may send, waits for the answer. */
import type { Actor } from "../clients/actor.ts";
import type { Range } from "../plan.ts";
import { attackOf } from "./attacks.ts";

/** Longer than any answer takes: a login that is still there then will never be answered. */
const patienceMs = 20_000;

export function startHostile(
  actor: Actor,
  behaviour: { readonly everyMs: Range; readonly attacks: readonly string[] },
): void {
  const over = actor.plan.door === "websocket" ? "websocket" : undefined;
  const attacks = behaviour.attacks.filter((name) => attackOf(name)?.over === over);
  let next = 0;
  const attempt = (): void => {
    const name = attacks[next % Math.max(1, attacks.length)];
    const attack = name === undefined ? undefined : attackOf(name);
    if (actor.client() !== undefined || name === undefined || attack === undefined) return;
    next += 1;
    const client = actor.logIn({
      takeOver: (stage, taken) => {
        if (stage !== attack.stage) return false;
        taken.attack(name, attack.data(actor.runPlan, actor.plan.user));
        return true;
      },
    });
    actor.after(patienceMs, () => {
      if (actor.client() === client) client.abort();
    });
  };
  actor.whenEnded(() => actor.within(behaviour.everyMs, attempt));
  actor.after(actor.plan.startAt, attempt);
}

/**
 * Registrar: makes accounts in-band (XEP-0077) and looks in with each; many, so that now and then the
 * database fails while one is being made.
 *
 * Now and then it takes a new password, and tries the old one before it uses the new one; or it removes its
 * account, tries to use it, and makes it again. Some have a second device at any node then, which stays: it is
 * thrown out with the account. An account whose change was not answered it leaves alone, since
 * nobody knows what has become of it.
 *
 * Some ask for a removal again that was answered by an error, and of some an operator deletes the account just before
 * they ask: whoever is told that there is none must be rid of its devices all the same.
 */
import type { Actor, LoginOptions } from "../clients/actor.ts";
import type { Client } from "../clients/client.ts";
import { accountAt, hostOf, nameOf } from "../addresses.ts";
import {
  bindsItsChannel,
  boundToItsChannel,
  passwordOf,
  type Mechanism,
  type Range,
} from "../plan.ts";

const accountsMax = 40;
const staysMs: Range = [100, 1_000];
/** Errands are short, so that they cost few new accounts. */
const errandPauseMs: Range = [20, 200];
/** It waits no longer for the answer to a change, nor for its second device. */
const patienceMs = 5_000;
/** Until all nodes know of the device. */
const knownAfterMs = 3_000;
const timesMax = 3;
const againMs: Range = [500, 1_500];
const mechanisms = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"] as const;
const asItIs = (mechanism: Mechanism): Mechanism => mechanism;

interface Account {
  readonly user: string;
  readonly password: string;
}

export function startRegistrar(
  actor: Actor,
  { everyMs, removesAgain = false }: { readonly everyMs: Range; readonly removesAgain?: boolean },
): void {
  /** Of its own: how it treats its accounts moves nothing else. */
  const draws = actor.stream(`accounts/${actor.plan.name}`);
  const devices = actor.stream(`devices/${actor.plan.name}`);
  const operators = actor.stream(`operators/${actor.plan.name}`);
  /** A letter that is written in several ways, of who writes in several ways. */
  const { user: own } = actor.plan;
  const ending = actor.plan.respells === true ? "-å" : "";
  /** Logins that come before the next new account. */
  const errands: (Account & LoginOptions)[] = [];
  let [made, passwords] = [0, 0];
  let account: Account = { user: "", password: "" };

  const bind = bindsItsChannel(actor.plan) ? boundToItsChannel : asItIs;
  const withAny = (tried: Account) => ({ ...tried, mechanism: bind(draws.pick(mechanisms)) });
  const logIn = (): void => {
    if (actor.client() !== undefined) return;
    let next = errands.shift();
    if (next === undefined) {
      if (made >= accountsMax) return;
      made += 1;
      next = register(accountAt(`${nameOf(own)}-account-${made}${ending}`, hostOf(own)));
    }
    account = next;
    actor.logIn(next);
  };
  const change = (client: Client, wanted: string | undefined): void => {
    const { user, password } = account;
    client.changeAccount(wanted, (done) => {
      if (done) {
        const after = wanted === undefined ? register(user) : withAny({ user, password: wanted });
        errands.push(withAny({ user, password }), after);
      }
      client.leave();
    });
    actor.after(patienceMs, () => client.leave());
  };
  const remove = (client: Client): void => {
    if (!devices.chance(0.5)) return change(client, undefined);
    const { user, password } = account;
    const node = devices.pick(actor.plan.nodes);
    const device = { user, password, resource: "second-device" };
    let asked = false;
    const ask = (): void => {
      if (asked) return;
      asked = true;
      if (actor.online() !== client) return client.leave();
      if (!removesAgain) return change(client, undefined);
      if (operators.chance(0.6)) actor.loseAccount(user);
      removeAgain(actor, client, timesMax);
    };
    actor.logInBeside(node, device, () => actor.after(knownAfterMs, ask));
    actor.after(patienceMs + knownAfterMs, ask);
  };
  const part = (client: Client): void => {
    const drawn = draws.int(10);
    const fate = removesAgain && operators.chance(0.25) ? 2 : drawn;
    if (actor.online() !== client || fate >= 3) return client.leave();
    if (fate >= 2) return remove(client);
    passwords += 1;
    change(client, `password ${passwords} of ${account.user}`);
  };

  const [shortest, longest] = everyMs;
  const pauseMs: Range = [shortest >> 3, longest >> 3];
  actor.whenOnline((client) => actor.within(staysMs, () => part(client)));
  actor.whenEnded(() => {
    if (errands.length === 0) actor.within(pauseMs, logIn);
    else actor.after(draws.between(...errandPauseMs), logIn);
  });
  actor.after(actor.plan.startAt, logIn);
}

/** Nobody knows what has become of a request before the last: so the account is left alone. */
function removeAgain(actor: Actor, client: Client, times: number): void {
  if (times === 0 || actor.online() !== client) return client.leave();
  let answered = false;
  actor.after(patienceMs, () => {
    if (!answered) client.leave();
  });
  client.changeAccount(undefined, (done) => {
    answered = true;
    if (done) client.leave();
    else actor.within(againMs, () => removeAgain(actor, client, times - 1));
  });
}

function register(user: string): Account & LoginOptions {
  const password = passwordOf(user);
  return { user, password, register: password };
}

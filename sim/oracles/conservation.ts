/**
 * Conservation: is every message delivered or bounced, once, in order, to the right client?
 *
 * A message whose sender or recipient lost its connection while it may have been under way is unknown:
 * without acknowledgements (XEP-0198) nobody can tell. The window for that is bounded, so that one lost
 * connection does not excuse a whole run.
 */
import { bodyOf } from "../clients/client.ts";
import { userOf } from "../plan.ts";
import { bareOf, Logins, type Login } from "./logins.ts";
import type { Oracle } from "./oracle.ts";

interface Sent {
  readonly id: string;
  readonly login: string;
  readonly to: string;
  readonly at: number;
  readonly sequence: number;
  received: string[];
  bounced: number;
}

/** Longer than any fault keeps a message under way. */
const underWayMaxMs = 90_000;

export function conservation(): Oracle {
  const logins = new Logins();
  const messages = new Map<string, Sent>();
  const lastSequence = new Map<string, number>();
  const failures: string[] = [];
  let judgedDeliveries = 0;
  let sequence = 0;

  function received(login: string, id: string, from: string, to: string, body: string): void {
    const message = messages.get(id);
    const recipient = logins.get(login);
    if (message === undefined) {
      failures.push(`${login} received message ${id}, which nobody sent`);
      return;
    }
    judgedDeliveries += 1;
    const sender = logins.get(message.login);
    if (message.received.includes(login)) failures.push(`${login} received ${id} twice`);
    message.received.push(login);
    if (sender !== undefined && sender.jid !== from) {
      failures.push(`${id} was sent by ${sender.jid} but arrived from ${from}`);
    }
    if (recipient !== undefined && bareOf(message.to) !== bareOf(recipient.jid)) {
      failures.push(`${id} was sent to ${message.to} but ${recipient.jid} received it`);
    }
    if (to !== message.to) failures.push(`${id} was sent to ${message.to} but arrived for ${to}`);
    if (body !== bodyOf(id, body.length)) failures.push(`${id} arrived with another body`);
    const pair = `${message.login} > ${login}`;
    const last = lastSequence.get(pair) ?? -1;
    if (message.sequence < last) failures.push(`${id} overtook a later message on ${pair}`);
    lastSequence.set(pair, message.sequence);
  }

  function fate(message: Sent): "known" | "unknown" | "lost" {
    if (message.received.length > 0 || message.bounced > 0) return "known";
    const sender = logins.get(message.login);
    if (sender !== undefined && mayHaveDied(sender, message.at) && !sender.clean) return "unknown";
    const bare = bareOf(message.to);
    const unfinished = logins.unboundOf(userOf(message.to));
    for (const recipient of [...logins.ofUser(bare), ...unfinished]) {
      if (mayHaveDied(recipient, message.at)) return "unknown";
    }
    // Left in order at once: a bounce could no longer reach it.
    if (sender?.endedAt !== undefined && logins.ofUser(bare).length === 0) return "unknown";
    return "lost";
  }

  return {
    name: "conservation",
    counts: "messages and deliveries",
    see(event) {
      logins.see(event);
      const { kind, data, at } = event;
      if (kind === "message-sent") {
        sequence += 1;
        const { id, login, to } = data;
        messages.set(id, { id, login, to, at, sequence, received: [], bounced: 0 });
      } else if (kind === "message-received") {
        received(data.login, data.id, data.from, data.to, data.body);
      } else if (kind === "message-bounced") {
        const message = messages.get(data.id);
        // A bounce may meet a later login with the same address.
        if (message === undefined || !logins.sameAddress(message.login, data.login)) {
          failures.push(`${data.login} was told that ${data.id} bounced, which it never sent`);
        } else if (++message.bounced > 1) failures.push(`${data.id} bounced twice`);
      }
    },
    judge() {
      let unknown = 0;
      for (const message of messages.values()) {
        const end = fate(message);
        if (end === "unknown") unknown += 1;
        if (end === "lost") {
          const { id, to, at } = message;
          failures.push(`${id} to ${to}, sent at ${at} ms, was neither delivered nor bounced`);
        }
      }
      return { judged: messages.size - unknown + judgedDeliveries, unknown, failures };
    },
  };
}

/** Was this login there, for itself or for the node, when the message may have been under way? */
function mayHaveDied(login: Login, sentAt: number): boolean {
  if (login.endedAt === undefined && login.nodeClosedAt === undefined) return false;
  const gone = Math.max(login.endedAt ?? 0, login.nodeClosedAt ?? Number.MAX_SAFE_INTEGER);
  const lost = Math.min(login.endedAt ?? Number.MAX_SAFE_INTEGER, gone);
  return (
    gone >= sentAt && lost <= sentAt + underWayMaxMs && login.startedAt <= sentAt + underWayMaxMs
  );
}

/**
 * Session life: how does a client become a session, and how does a session end?
 *
 *     bind asked --> decided, in the directory --(visible at every live peer)--> client told, bound
 *
 * In a cluster a client is told that it is bound only when every live peer can see it, so that nobody who
 * learns of it can be told by another node that it is not there; the wait is bounded by the tables. What
 * is sent to the session meanwhile is held and follows the answer. Two sessions of one full JID, bound
 * on nodes that could not see each other: the one that loses (`session-conflict.ts`) is ended by its node.
 */
import type { Now } from "../base/time.ts";
import type { Peer } from "../cluster/peer.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Log } from "../ports/log.ts";
import type { Directory, LostConflict } from "../router/directory.ts";
import type { Delivery } from "../stream/c2s.ts";
import { Outbox } from "../stream/outbox.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import type { BinaryString } from "../base/bytes.ts";
import { bind } from "./binding.ts";
import type { Client, Clients } from "./clients.ts";
import type { Config } from "./config.ts";
import type { NodeMetrics } from "./metrics.ts";

export interface SessionLifeOptions {
  readonly config: Config;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly counts: NodeMetrics;
  readonly clients: Clients;
  readonly directory: Directory;
  /** Asks to be told (`settled`) when all live peers see what has been written; false without a cluster. */
  readonly settle: (now: Now, request: number) => boolean;
}

interface Waiting {
  readonly client: Client;
  readonly reply: Stanza;
}

export class SessionLife {
  readonly #options: SessionLifeOptions;
  readonly #waiting = new Map<number, Waiting>();
  #lastRequest = 0;

  constructor(options: SessionLifeOptions) {
    this.#options = options;
  }

  bind(now: Now, client: Client, request: Stanza, resource: string | undefined): void {
    const { stream } = client;
    const { clients, config, counts, directory, entropy, settle } = this.#options;
    const outcome = bind({
      now,
      request,
      resource,
      username: stream.username ?? "",
      host: stream.host,
      lang: stream.lang,
      connection: stream.connection,
      directory,
      limits: config.sessions,
      access: client.listener.access,
      entropy,
    });
    if (outcome.type === "refused") {
      return clients.step(now, client, { type: "bind-refused", reply: outcome.reply });
    }
    if (outcome.replaced !== undefined) {
      clients.end(now, outcome.replaced, "conflict", "Replaced by a new login");
    }
    client.session = outcome.session;
    directory.add(outcome.session);
    counts.sessions.value += 1;
    const { reply } = outcome;
    const waiting = ++this.#lastRequest;
    if (!settle(now, waiting)) return this.#bound(now, client, reply);
    client.held = new Outbox(config.sessions.max_send_queue);
    this.#waiting.set(waiting, { client, reply });
  }

  /** `inVain`: how many peers did not say in time that they see it. */
  settled(now: Now, request: number, inVain: number): void {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    if (inVain > 0) this.#options.counts.unsettled.value += 1;
    if (waiting === undefined || waiting.client.ended) return;
    this.#bound(now, waiting.client, waiting.reply);
  }

  /** What was held for a client that was never told. */
  ended(client: Client, reason: string): readonly Delivery[] {
    const { counts, directory, log } = this.#options;
    const held = client.held?.takeAll() ?? [];
    client.held = undefined;
    client.ended = true;
    const { session } = client;
    if (session === undefined) return held;
    if (directory.remove(session)) counts.sessions.value -= 1;
    log.write("debug", "session-ended", { jid: session.jid.full, reason });
    return held;
  }

  /** Another node's record of this full JID has been written. */
  recordWritten(now: Now, key: BinaryString): void {
    const conflict = this.#options.directory.conflictOf(key);
    if (conflict !== undefined) this.#lose(now, conflict);
  }

  /** All records of another node, so many, have come into sight. */
  ownerShown(now: Now, owner: Peer, count: number): void {
    const lost = [...this.#options.directory.conflictsWith(owner, count)];
    for (const conflict of lost) this.#lose(now, conflict);
  }

  #lose(now: Now, { session, same }: LostConflict): void {
    const { clients, counts } = this.#options;
    counts.conflicts.value += 1;
    // The same session goes on elsewhere: its client has left this connection, and needs no error.
    if (same) return clients.end(now, session, undefined, "The session goes on elsewhere");
    clients.end(now, session, "conflict", "Replaced by a login on another node");
  }

  #bound(now: Now, client: Client, reply: Stanza): void {
    const { clients } = this.#options;
    const held = client.held?.takeAll() ?? [];
    client.held = undefined;
    // The stream is bound, then told so in its own words, then reads on: nothing overtakes the answer.
    clients.step(now, client, { type: "deliver", delivery: { stanza: reply } });
    for (const delivery of held) clients.step(now, client, { type: "deliver", delivery });
    clients.step(now, client, { type: "bound" });
  }
}

/**
 * Hearings: what a client makes of messages, presences and answers that it is given, and what the trace tells of that.
 *
 * Apart from `client.ts` for the same reason as what it says (`sayings.ts`). From whom a stanza is must come prepared;
 * to whom it was, and from whom a bounce is, may be spelled as its sender did.
 */
import { NS } from "../../src/xmpp/namespaces.ts";
import { JidCache } from "../../src/xmpp/jid.ts";
import type { Stanza } from "../../src/xmpp/stanza.ts";
import type { Notice, Trace } from "../trace.ts";
import { prepared } from "./spelling.ts";
import { declined, errorCondition } from "./wording.ts";

export interface Hearer {
  readonly login: string;
  readonly trace: Trace;
  /** Was this error the answer to something that no client may send? */
  readonly wasAsked: (condition: string) => boolean;
  /** It has been given a message. */
  readonly given: (message: Stanza) => void;
}

export class Hearings {
  readonly #hearer: Hearer;
  readonly #known = new JidCache(100);

  constructor(hearer: Hearer) {
    this.#hearer = hearer;
  }

  message(message: Stanza): void {
    const { login, trace, wasAsked, given } = this.#hearer;
    const { id = "", from = "", to = "" } = message;
    if (message.type === "error") {
      const condition = errorCondition(message);
      if (condition === declined) return this.#noticed(message, "error");
      if (wasAsked(condition)) return;
      const bounce = { login, id, condition, from: prepared(from, this.#known) };
      return trace.record(login, "message-bounced", bounce);
    }
    const body = message.payload(NS.client, "body")?.getText() ?? "";
    const addressee = prepared(to, this.#known);
    trace.record(login, "message-received", { login, id, from, to: addressee, body });
    given(message);
  }

  presence(presence: Stanza): void {
    const { type, id = "" } = presence;
    const { login, trace, wasAsked } = this.#hearer;
    if (type === undefined) return this.#noticed(presence, "available");
    if (type === "unavailable") return this.#noticed(presence, "unavailable");
    const condition = errorCondition(presence);
    if (!wasAsked(condition)) trace.record(login, "notice-refused", { login, id, condition });
  }

  /** To what it has asked. */
  answer({ id = "", from = "" }: Stanza, outcome: string): void {
    const { login, trace } = this.#hearer;
    trace.record(login, "iq-answered", { login, id, from: prepared(from, this.#known), outcome });
  }

  #noticed({ id = "", from = "", to = "" }: Stanza, what: Notice): void {
    const { login, trace } = this.#hearer;
    const addressee = prepared(to, this.#known);
    trace.record(login, "notice-received", { login, id, from, to: addressee, what });
  }
}

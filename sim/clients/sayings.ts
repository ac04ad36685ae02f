/**
 * Sayings: what a client says once it is bound, and what the trace tells of that.
 *
 * Apart from `client.ts`, which gets it as far as that and reads what comes back. Some clients stamp what they
 * send with their own address, though they need not (RFC 6120 §8.1.2.1).
 */
import type { BinaryString } from "../../src/base/bytes.ts";
import { escapeValue } from "../../src/xmpp/escape.ts";
import { NS } from "../../src/xmpp/namespaces.ts";
import type { Stanza } from "../../src/xmpp/stanza.ts";
import { bareOf, nameOf } from "../addresses.ts";
import type { MessageType, Stamp } from "../plan.ts";
import type { Trace } from "../trace.ts";
import type { Spelling } from "./spelling.ts";
import { accountIq, declineXml, messageXml, presenceXml } from "./wording.ts";

export interface Speaker {
  readonly login: string;
  readonly user: string;
  /** Missing: its server knows from whom it is. */
  readonly stamp?: Stamp | undefined;
  readonly spelling: Spelling;
  readonly trace: Trace;
  /** Bound to it. */
  readonly jid: () => string;
  readonly write: (data: BinaryString) => void;
}

/** What is no longer than this is not worth a word in the trace. */
export const shortBytes = 700;

export class Sayings {
  readonly #speaker: Speaker;
  #sequence = 0;

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
  }

  message(to: string, bytes: number, type: MessageType = "chat"): void {
    const { login, trace, write } = this.#speaker;
    const id = this.#nextId("m");
    const others = {
      ...(type === "chat" ? {} : { type }),
      ...(bytes > shortBytes ? { bytes } : {}),
    };
    trace.record(login, "message-sent", { login, id, to, ...others });
    write(messageXml(this.#addresses(to), id, bytes, type));
  }

  presence(available: boolean, priority = 0): void {
    const { login, trace, write } = this.#speaker;
    trace.record(login, "presence-sent", { login, available, priority });
    write(presenceXml(this.#addresses(), available, priority));
  }

  /** Of its presence, to one alone (RFC 6121 §4.6). */
  directed(to: string, available: boolean): void {
    const { login, trace, write } = this.#speaker;
    const id = this.#nextId("p");
    const what = available ? "available" : "unavailable";
    trace.record(login, "notice-sent", { login, id, to, what });
    write(presenceXml(`${this.#addresses(to)} id='${escapeValue(id)}'`, available, 0));
  }

  /** It has been given this message and will not have it. */
  decline({ id = "", from = "" }: Stanza): void {
    const { login, trace, write } = this.#speaker;
    trace.record(login, "notice-sent", { login, id, to: from, what: "error" });
    write(declineXml(this.#addresses(from), id));
  }

  /** A ping (XEP-0199), to the server or to another client. */
  ping(to: string): void {
    this.#ask(to, "ping", `<ping xmlns='${NS.ping}'/>`);
  }

  /** Something that nobody implements: an error must come back (RFC 6120 §8.4). */
  unknown(to: string): void {
    this.#ask(to, "unknown", "<query xmlns='urn:example:nobody-knows'/>");
  }

  /** A new password (XEP-0077 §3.3), or that its account be removed (§3.2). Returns its id. */
  accountChange(wanted: { readonly password?: string }): string {
    const { login, user, spelling, trace, write } = this.#speaker;
    const id = this.#nextId("a");
    trace.record(login, "account-change-sent", { login, user, ...wanted });
    const { password } = wanted;
    const named = { user: spelling.user(nameOf(user)), password: password ?? "" };
    write(accountIq(this.#addresses(), id, password === undefined ? "removal" : named));
    return id;
  }

  /** To a request that it has read. */
  answer({ id = "", from, payloads }: Stanza): void {
    const { login, trace, write } = this.#speaker;
    trace.record(login, "answer-given", { login, id });
    const known = payloads[0]?.namespace === NS.ping;
    const refusal = `<error type='cancel'><service-unavailable xmlns='${NS.stanzas}'/></error>`;
    const [type, rest] = known ? ["result", "/>"] : ["error", `>${refusal}</iq>`];
    write(`<iq type='${type}' id='${escapeValue(id)}'${this.#addresses(from)}${rest}`);
  }

  #ask(to: string, about: string, payload: string): void {
    const { login, trace, write } = this.#speaker;
    const id = this.#nextId("q");
    trace.record(login, "iq-sent", { login, id, to, about });
    const addressee = to === "" ? undefined : to;
    write(`<iq type='get' id='${escapeValue(id)}'${this.#addresses(addressee)}>${payload}</iq>`);
  }

  #addresses(to?: string): string {
    const { stamp, spelling, jid } = this.#speaker;
    const written = (address: string): string => `'${escapeValue(spelling.address(address))}'`;
    const addressee = to === undefined ? "" : ` to=${written(to)}`;
    if (stamp === undefined) return addressee;
    return `${addressee} from=${written(stamp === "full" ? jid() : bareOf(jid()))}`;
  }

  #nextId(letter: string): string {
    this.#sequence += 1;
    return `${letter}/${this.#speaker.login}/${this.#sequence}`;
  }
}

/**
 * C2S stream: one client's connection, from its first byte to its last (RFC 6120 §4–§7).
 *
 * A machine without I/O: bytes and answers in, effects out. What takes time (looking up keys, hashing,
 * binding) is asked for by an effect and answered by an input; meanwhile nothing more is read from the
 * client's bytes, so order is kept without queues of stanzas. The states are in `c2s-state.ts`.
 *
 * It does not know who else is connected: a bound stream hands stanzas up (`stanza-received`) and is
 * handed those for its client (`deliver`). A client that reads too slowly has a bounded queue here. What is
 * in it at the end is handed back, so that senders are told; answers are written, if it ends in order.
 */
import { toBase64, toHex, type BinaryString } from "../base/bytes.ts";
import type { Duration, Instant, Now } from "../base/time.ts";
import type { ConnectionId, TlsInfo } from "../ports/network.ts";
import { isWellFormedIq } from "../xmpp/iq.ts";
import { NS } from "../xmpp/namespaces.ts";
import { Reader, type StreamHeader } from "../xmpp/reader.ts";
import { errorReply } from "../xmpp/stanza-error.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import { XmlError, type StreamErrorCondition } from "../xmpp/stream-error.ts";
import { mayAsk, mistakeOf } from "./before-binding.ts";
import { awaiting, type C2sState } from "./c2s-state.ts";
import type { C2sEffect, C2sInput, C2sOptions, Delivery } from "./c2s-traffic.ts";
import { streamFeatures } from "./features.ts";
import { tcpFraming, websocketFraming, type Framing } from "./framing.ts";
import {
  answerHeader,
  askedByHeader,
  askedByOpen,
  wrongStreamHeader,
  type AskedStream,
} from "./header.ts";
import { HeldBytes } from "./held-bytes.ts";
import { idleAt } from "./keep-alive.ts";
import { Outbox } from "./outbox.ts";
import type { SaslFailure, SaslOutcome } from "./sasl/exchange.ts";
import { readAuth, readResponse, saslFailureXml } from "./sasl-elements.ts";

export type { C2sEffect, C2sInput, C2sOptions, Delivery } from "./c2s-traffic.ts";

/** How long a peer may take to answer our closing tag (RFC 6120 §4.4). */
const closeGrace: Duration = 5_000;

export class C2sStream {
  readonly #options: C2sOptions;
  readonly #framing: Framing;
  #reader: Reader;
  #state: C2sState = "opening";
  #tls: TlsInfo | undefined;
  #host = "";
  #lang = "en";
  #headerSent = false;
  #username: string | undefined;
  #authGuesses = 0;
  /** Failures without a guess: a client may try each mechanism before it finds one that works for both. */
  #authRefusals = 0;
  #requests = 0;
  #deadline: Instant | undefined;
  #activeAt: Instant = 0;
  /** The peer's closing tag, or what cannot be read: it waits for `stanzas-done`. */
  #end: "closed" | XmlError | undefined;
  readonly #outbox: Outbox;
  readonly #held: HeldBytes;
  #effects: C2sEffect[] = [];

  constructor(now: Now, options: C2sOptions) {
    this.#options = options;
    this.#framing = options.framing === "tcp" ? tcpFraming : websocketFraming;
    this.#outbox = new Outbox(options.maxSendQueue);
    this.#held = new HeldBytes(options.maxStanzaSize);
    this.#tls = options.tls;
    this.#reader = this.#newReader();
    this.#deadline = now.at + options.negotiationTimeout;
    this.#activeAt = now.at;
  }

  get connection(): ConnectionId {
    return this.#options.connection;
  }
  get host(): string {
    return this.#host;
  }
  get lang(): string {
    return this.#lang;
  }
  get tls(): TlsInfo | undefined {
    return this.#tls;
  }
  get username(): string | undefined {
    return this.#username;
  }

  deadline(): Instant | undefined {
    return this.#deadline;
  }

  step(now: Now, input: C2sInput): readonly C2sEffect[] {
    if (input.type === "deliver" && this.#state === "bound" && !this.#outbox.holds) {
      return [this.#written(input.delivery)]; // by far the commonest step
    }
    this.#effects = [];
    if (this.#state === "closed") {
      if (input.type === "deliver") this.#return([input.delivery]);
      return this.#effects;
    }
    switch (input.type) {
      case "bytes-received":
        this.#receive(now, input.bytes);
        break;
      case "deliver":
        this.#deliver(now, input.delivery);
        break;
      case "tls-established":
        this.#tls = input.tls;
        this.#held.takeAll();
        this.#restart();
        break;
      case "connection-congested":
      case "connection-drained":
        this.#outbox.congested = input.type === "connection-congested";
        this.#drain(now);
        break;
      case "connection-closed":
        this.#finish("the connection was closed");
        break;
      case "deadline-reached":
        this.#expire(now);
        break;
      case "challenge-issued":
        this.#state = "challenged";
        this.#write(`<challenge xmlns='${NS.sasl}'>${toBase64(input.data)}</challenge>`);
        this.#resume(now);
        break;
      case "authentication-finished":
        this.#authenticated(now, input.outcome);
        this.#resume(now);
        break;
      case "bound":
        this.#state = "bound";
        this.#setDue(now);
        this.#resume(now);
        break;
      case "bind-refused":
        this.#state = "negotiating";
        this.#write(input.reply.write(this.#framing.context));
        this.#resume(now);
        break;
      case "stanzas-done":
        this.#ended(now);
        break;
      case "end":
        this.#fail(now, input.condition, input.text);
        break;
    }
    return this.#effects;
  }

  // --- reading

  #newReader(): Reader {
    return new Reader(
      { maxStanzaSize: this.#options.maxStanzaSize },
      this.#options.framing === "websocket" ? "message" : "stream",
    );
  }

  #waiting(): boolean {
    return this.#state !== "bound" && awaiting.has(this.#state);
  }

  #receive(now: Now, bytes: Uint8Array): void {
    this.#activeAt = now.at;
    if (this.#state === "securing") return; // RFC 6120 §5.4.3.3: nothing sent in the clear counts
    if (this.#waiting() || !this.#held.empty) return this.#hold(now, bytes);
    this.#reader.push(bytes);
    this.#read(now);
  }

  #hold(now: Now, bytes: Uint8Array): void {
    if (this.#held.put(bytes)) return;
    const max = this.#options.maxStanzaSize;
    this.#fail(now, "policy-violation", `More than ${max} bytes sent before an answer`);
  }

  /** Takes up reading where it stopped to wait for an answer. */
  #resume(now: Now): void {
    if (this.#waiting()) return;
    const held = this.#held.takeAll();
    this.#read(now);
    for (const bytes of held) this.#receive(now, bytes);
  }

  #read(now: Now): void {
    try {
      while (!this.#waiting() && this.#state !== "closed" && this.#end === undefined) {
        const event = this.#reader.next();
        if (event === undefined) return;
        if (event.kind === "element") this.#element(now, event);
        else if (event.kind === "opened") this.#opened(now, event);
        else this.#readEnd(now, "closed");
      }
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      this.#readEnd(now, error);
    }
  }

  /** Whoever asks and closes in one breath has the answer before the closing tag. */
  #readEnd(now: Now, end: "closed" | XmlError): void {
    this.#end = end;
    if (this.#effects.every(({ type }) => type !== "stanza-received")) return this.#ended(now);
    this.#effects.push({ type: "stanzas-first" });
  }

  #ended(now: Now): void {
    if (this.#end === "closed") this.#peerClosed();
    else if (this.#end) this.#fail(now, this.#end.condition, this.#end.message);
  }

  #opened(now: Now, header: StreamHeader): void {
    if (this.#state !== "opening") return; // a closing stream still reads to its end
    const wrong = wrongStreamHeader(header);
    if (wrong !== undefined) return this.#fail(now, wrong.condition, wrong.text);
    this.#open(now, askedByHeader(header));
  }

  /** RFC 6120 §4.7: answers the client's header, then says what can be negotiated. */
  #open(now: Now, asked: AskedStream): void {
    const answer = answerHeader(asked, this.#options.hosts);
    if (answer.lang !== undefined) this.#lang = answer.lang;
    if (answer.host !== undefined && this.#username === undefined) this.#host = answer.host;
    const { error } = answer;
    if (error !== undefined) return this.#fail(now, error.condition, error.text);
    if (answer.host !== this.#host) {
      return this.#fail(now, "not-authorized", "The host changed after authentication");
    }
    this.#writeHeader();
    this.#state = "negotiating";
    const authenticated = this.#username !== undefined;
    const features = streamFeatures(this.#options, this.#tls, authenticated);
    this.#write(this.#framing.features(features));
  }

  #writeHeader(): void {
    if (this.#headerSent) return;
    this.#headerSent = true;
    const id = toHex(this.#options.entropy.bytes(16)); // RFC 6120 §4.7.3: unpredictable
    const from = this.#host === "" ? (this.#options.hosts[0] ?? "") : this.#host;
    this.#write(this.#framing.header({ id, from, to: undefined, lang: this.#lang }));
  }

  // --- elements

  #element(now: Now, element: Stanza): void {
    const framed = this.#options.framing === "websocket" && element.namespace === NS.framing;
    if (this.#state === "bound" && !framed) {
      this.#effects.push({ type: "stanza-received", stanza: element });
      return;
    }
    if (element.namespace === NS.framing) return this.#framingElement(now, element);
    switch (this.#state) {
      case "negotiating":
        return this.#negotiate(now, element);
      case "challenged":
        return this.#saslResponse(now, element);
      case "opening":
        return this.#fail(now, "not-well-formed", "A stream header was expected");
      default: // closing: what the client still says is not acted upon (RFC 6120 §4.4)
        return;
    }
  }

  /** RFC 7395 §3.4–§3.6 */
  #framingElement(now: Now, element: Stanza): void {
    if (this.#options.framing !== "websocket") {
      return this.#fail(now, "invalid-namespace", "Framing elements belong to WebSocket streams");
    }
    if (element.name === "close") return this.#readEnd(now, "closed");
    if (element.name !== "open" || this.#state !== "opening") {
      return this.#fail(now, "bad-format", "Only <open/> or <close/> can stand here");
    }
    this.#open(now, askedByOpen(element));
  }

  #negotiate(now: Now, element: Stanza): void {
    if (element.namespace === NS.tls && element.name === "starttls") return this.#startTls(now);
    if (element.namespace === NS.sasl) return this.#sasl(now, element);
    const authenticated = this.#username !== undefined;
    if (mayAsk(element, authenticated, this.#options, this.#tls)) return this.#ask(now, element);
    const { condition, text } = mistakeOf(element, authenticated);
    this.#fail(now, condition, text);
  }

  /** RFC 6120 §5.4 */
  #startTls(now: Now): void {
    const { tlsMode, framing } = this.#options;
    const possible = this.#tls === undefined && tlsMode !== undefined && framing === "tcp";
    if (!possible || this.#username !== undefined) {
      this.#write(`<failure xmlns='${NS.tls}'/>`); // RFC 6120 §5.4.2.2: then the stream is closed
      return this.#fail(now, undefined, "starttls where it was not offered");
    }
    this.#write(`<proceed xmlns='${NS.tls}'/>`);
    this.#state = "securing";
    this.#effects.push({ type: "start-tls", connection: this.connection, host: this.#host });
  }

  /** A new stream over the same connection, after TLS or SASL (RFC 6120 §4.3.3). */
  #restart(rest?: Uint8Array): void {
    this.#reader = this.#newReader();
    if (rest !== undefined && rest.length > 0) this.#reader.push(rest);
    this.#state = "opening";
    this.#headerSent = false;
  }

  // --- SASL (RFC 6120 §6)

  #sasl(now: Now, element: Stanza): void {
    if (this.#username !== undefined) {
      return this.#fail(now, "not-authorized", "Already authenticated (RFC 6120 §6.4.6)");
    }
    const bare = this.#tls === undefined && this.#options.tlsMode === "starttls_required";
    const read = readAuth(element, this.#options.mechanisms(this.#tls), bare);
    if (typeof read === "string") return this.#saslFailed(now, read);
    this.#state = "authenticating";
    this.#effects.push({ type: "authenticate", ...read });
  }

  #saslResponse(now: Now, element: Stanza): void {
    const read = readResponse(element);
    if (typeof read !== "string") {
      this.#state = "authenticating";
      this.#effects.push({ type: "respond-to-challenge", data: read });
      return;
    }
    this.#effects.push({ type: "abort-authentication" });
    if (element.namespace === NS.sasl) return this.#saslFailed(now, read);
    this.#fail(now, "not-authorized", "Only <response/> or <abort/> can answer a challenge");
  }

  #authenticated(now: Now, outcome: SaslOutcome): void {
    if (this.#state !== "authenticating") return;
    if (outcome.type === "failure") {
      return this.#saslFailed(now, outcome.condition, outcome.text, outcome.guessed);
    }
    this.#username = outcome.username;
    const data = outcome.data === undefined ? "" : toBase64(outcome.data);
    this.#write(`<success xmlns='${NS.sasl}'${data === "" ? "/>" : `>${data}</success>`}`);
    this.#restart(this.#options.framing === "tcp" ? this.#reader.rest() : undefined);
  }

  #saslFailed(now: Now, condition: SaslFailure, text?: string, guessed = true): void {
    this.#state = "negotiating";
    if (guessed) this.#authGuesses += 1;
    else this.#authRefusals += 1;
    this.#write(saslFailureXml(condition, text));
    const max = this.#options.maxAuthAttempts;
    if (this.#authGuesses >= max || this.#authRefusals >= 2 * max) {
      this.#fail(now, "policy-violation", `${max} failed authentications, the maximum is ${max}`);
    }
  }

  // --- registration and binding

  /** Each is answered, also to who reads no answers: so they are counted. */
  #ask(now: Now, iq: Stanza): void {
    this.#requests += 1;
    const max = this.#options.maxRequestsBeforeBinding;
    if (this.#requests > max) {
      return this.#fail(now, "policy-violation", `More than ${max} requests before binding`);
    }
    if (!isWellFormedIq(iq)) return this.#refuse(iq);
    if (this.#username !== undefined) return this.#bindRequest(now, iq);
    this.#state = "registering";
    this.#effects.push({ type: "register", request: iq });
  }

  /** RFC 6120 §7 */
  #bindRequest(now: Now, iq: Stanza): void {
    const bind = iq.payload(NS.bind, "bind");
    if (bind === undefined) {
      return this.#fail(now, "not-authorized", "Bind a resource first (RFC 6120 §7.1)");
    }
    if (iq.type !== "set") return this.#refuse(iq);
    const asked = bind.getChildText("resource", NS.bind) ?? "";
    this.#state = "binding";
    const resource = asked === "" ? undefined : asked;
    this.#effects.push({ type: "bind", request: iq.copy(), resource });
  }

  #refuse(iq: Stanza): void {
    this.#write(errorReply(iq, "bad-request")?.write(this.#framing.context) ?? "");
  }

  // --- writing

  #write(data: BinaryString): void {
    if (data !== "") this.#effects.push({ type: "write", connection: this.connection, data });
  }

  #deliver(now: Now, delivery: Delivery): void {
    if (this.#state === "closing") return this.#return([delivery]);
    if (this.#state === "registering") this.#state = "negotiating";
    if (this.#outbox.holds) this.#enqueue(now, delivery);
    else this.#effects.push(this.#written(delivery));
    if (this.#state === "negotiating") this.#resume(now);
  }

  #enqueue(now: Now, delivery: Delivery): void {
    if (this.#outbox.put(delivery)) return;
    const max = this.#options.maxSendQueue;
    this.#fail(now, "resource-constraint", `More than ${max} bytes wait to be read: the maximum`);
  }

  #written(delivery: Delivery): C2sEffect {
    const data = delivery.stanza.write(this.#framing.context, delivery);
    return { type: "write", connection: this.connection, data };
  }

  /** A piece of what waits; if that congests nothing, the next follows at once. */
  #drain(now: Now): void {
    this.#writeAll(this.#outbox.take());
    this.#setDue(now);
  }

  #setDue(now: Now): void {
    if (this.#state !== "bound") return;
    const { sendTimeout, keepAliveInterval } = this.#options;
    if (this.#outbox.congested) this.#deadline = now.at + sendTimeout;
    else this.#deadline = this.#outbox.holds ? now.at : idleAt(now.at, keepAliveInterval);
  }

  #writeAll(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) this.#effects.push(this.#written(delivery));
  }

  // --- time and endings

  #expire(now: Now): void {
    if (this.#deadline === undefined || this.#deadline > now.at) return;
    if (this.#state === "closing") return this.#drop("the peer did not close the stream in time");
    const { negotiationTimeout, sendTimeout, keepAliveInterval: interval } = this.#options;
    if (this.#state !== "bound") {
      return this.#fail(now, "connection-timeout", `Not logged in within ${negotiationTimeout} ms`);
    }
    if (this.#outbox.congested) {
      const text = `Nothing was read for ${sendTimeout} ms: the maximum`;
      return this.#fail(now, "resource-constraint", text);
    }
    if (this.#outbox.holds) return this.#drain(now);
    const isIdle = idleAt(this.#activeAt, interval) <= now.at;
    if (isIdle) this.#effects.push(this.#framing.signOfLife(this.connection));
    this.#deadline = idleAt(isIdle ? now.at : this.#activeAt, interval);
  }

  /** The peer's closing tag: answered, then the connection goes (RFC 6120 §4.4). */
  #peerClosed(): void {
    if (this.#state === "closing") return this.#drop("both sides closed the stream");
    this.#writeHeader();
    this.#writeAll(this.#outbox.takeAnswers());
    this.#write(this.#framing.end);
    this.#drop("the peer closed the stream");
  }

  /** Closes from our side: an error if there is one, the closing tag, and a while for the peer's. */
  #fail(now: Now, condition: StreamErrorCondition | undefined, text?: string): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    if (this.#state === "securing") return this.#drop(text ?? "TLS was not established");
    this.#writeHeader(); // RFC 6120 §4.9.1.2: also an error at the very start has a header before it
    const isOrderly = condition === undefined || condition === "system-shutdown";
    if (isOrderly) this.#writeAll(this.#outbox.takeAnswers());
    if (condition !== undefined) this.#write(this.#framing.error(condition, text));
    this.#write(this.#framing.end);
    this.#handBack(condition ?? "closed by us");
    this.#state = "closing";
    this.#deadline = now.at + closeGrace;
    // An error is final (§4.9.1.1): nothing that follows is read, so there is no peer's tag to wait for.
    if (!isOrderly) this.#drop(condition);
  }

  #drop(reason: string): void {
    this.#finish(reason);
    this.#effects.push({ type: "close", connection: this.connection });
  }

  #finish(reason: string): void {
    if (this.#state !== "closing") this.#handBack(reason);
    this.#state = "closed";
    this.#deadline = undefined;
    this.#held.takeAll();
  }

  #handBack(reason: string): void {
    this.#effects.push({ type: "ended", reason });
    this.#return(this.#outbox.takeAll());
  }

  #return(deliveries: readonly Delivery[]): void {
    if (deliveries.length > 0) this.#effects.push({ type: "undelivered", deliveries });
  }
}

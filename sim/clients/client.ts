/**
 * Client: one login of a simulated client, from the first byte to the last.
 *
 * Speaks real XML over a simulated wire: header, STARTTLS, SASL, bind, presence; then stanzas. Reads
 * with the server's own reader and computes real SCRAM. Whatever it sees goes into the trace, since
 * that is what the oracles judge.
 *
 *     connecting -> greeting --features--> securing -> greeting (TLS) --features--> authenticating
 *        -> greeting (authenticated) --features--> binding -> online -> leaving -> ended
 */
import { fromBase64, toBase64, type BinaryString } from "../../src/base/bytes.ts";
import type { TlsInfo } from "../../src/ports/network.ts";
import { NS } from "../../src/xmpp/namespaces.ts";
import { XmlError, type Reader, type ReaderEvent } from "../../src/xmpp/reader.ts";
import type { Stanza } from "../../src/xmpp/stanza.ts";
import { nameOf } from "../addresses.ts";
import { listenerOf, type Door, type Stamp } from "../plan.ts";
import type { SimulatedNetwork, Wire } from "../kit/network.ts";
import type { Trace } from "../trace.ts";
import type { ClientSasl } from "./authentication.ts";
import { bindRequest, remoteOf, sentAhead, type Opening } from "./openings.ts";
import { dialectOf, type Dialect } from "./dialects.ts";
import { wrongOffer } from "./offers.ts";
import { Hearings } from "./hearings.ts";
import { Sayings } from "./sayings.ts";
import { asPrepared, type Spelling } from "./spelling.ts";
import { accountIq, errorCondition, firstChild, offeredBy } from "./wording.ts";

export interface ClientOptions {
  readonly login: string;
  readonly node: string;
  readonly host: string;
  readonly user: string;
  /** Logins of one home have one address; missing: an address of its own. */
  readonly home?: string | undefined;
  readonly resource: string;
  readonly priority: number;
  readonly network: SimulatedNetwork;
  readonly trace: Trace;
  /** Missing: the one that the account was made with. `sasl` offers it; this is for the trace. */
  readonly password?: string | undefined;
  readonly sasl: (tls: TlsInfo | undefined) => ClientSasl;
  readonly events: ClientEvents;
  /** Registers the account before it logs in (XEP-0077). */
  readonly register?: string | undefined;
  /** For hostile clients: true at a stage means that the client goes no further by itself. */
  readonly takeOver?: ((stage: Stage, client: Client) => boolean) | undefined;
  /** Tries the same again where its password is refused, until the server ends the stream. */
  readonly insists?: boolean;
  /** Opens the next stream and binds without waiting for its success (XEP-0305). */
  readonly pipelines?: boolean;
  /** How it comes in; missing: where STARTTLS is required. */
  readonly door?: Door | undefined;
  /** Which of its addresses it stamps on what it sends; missing: none. */
  readonly stamp?: Stamp | undefined;
  /** How it writes addresses and names; missing: as they are once prepared. */
  readonly spelling?: Spelling | undefined;
  /** Will it not have the message that it has been given? */
  readonly declines?: (() => boolean) | undefined;
  /** Answers what it was asked, when it likes to; missing: at once. */
  readonly answer?: (act: () => void) => void;
}

/** Where a stream stands when its features have been read; `opened`: before the first byte. */
export type Stage = "opened" | "clear" | "secured" | "authenticated" | "online";

export interface ClientEvents {
  online(jid: string): void;
  /** Told once, whoever ended it; `clean`: streams closed in order. */
  ended(reason: string, clean: boolean): void;
}

interface AccountChange {
  readonly id: string;
  readonly wanted: { readonly password?: string };
  readonly answered: (done: boolean) => void;
}

type State =
  | "connecting"
  | "greeting"
  | "securing"
  | "registering"
  | "authenticating"
  | "binding"
  | "online"
  | "leaving"
  | "ended";

export class Client {
  readonly say: Sayings;
  readonly #options: ClientOptions;
  readonly #spelling: Spelling;
  readonly #hears: Hearings;
  readonly #wire: Wire;
  readonly #trace: Trace;
  readonly #dialect: Dialect;
  #reader: Reader;
  #state: State = "connecting";
  #tls: TlsInfo | undefined;
  /** In the last header that it read (RFC 6120 §4.7.1); an error may be before any host. */
  #answeredBy = "";
  #authenticated = false;
  #registered = false;
  /** In the last features that it read: mechanisms by their names, and the rest. */
  #offered: ReadonlySet<string> = new Set();
  /** This client has begun to close the stream, and its node has answered that: all before has been read. */
  #inOrder = false;
  #sasl: ClientSasl | undefined;
  #jid = "";
  #attack: string | undefined;
  #change: AccountChange | undefined;
  /** Since it was last asked for a sign of life. */
  #hasWritten = false;
  #reads = true;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#dialect = dialectOf(options.door);
    this.#reader = this.#dialect.newReader();
    this.#spelling = options.spelling ?? asPrepared;
    this.#trace = options.trace;
    const { login, user, node, host, password, stamp } = options;
    this.say = new Sayings({
      ...{ login, user, stamp, spelling: this.#spelling, trace: options.trace },
      jid: () => this.#jid,
      write: (data) => this.#write(data),
    });
    const offered = password === undefined ? {} : { password };
    this.#hears = new Hearings({
      ...{ login, trace: options.trace },
      wasAsked: (condition) => this.#answered(condition),
      given: (message) => {
        if (this.#state === "online" && options.declines?.() === true) this.say.decline(message);
      },
    });
    this.#trace.record(login, "login-started", { login, user, node, ...offered });
    const tlsFirst = options.door === "direct-tls" || options.door === "websocket";
    this.#wire = options.network.connect({
      login,
      node,
      listener: listenerOf(options.door),
      remote: remoteOf(options.home ?? login),
      serverName: host,
      tlsFirst,
      framing: options.door === "websocket" ? "websocket" : undefined,
      events: {
        opened: () => {
          if (!tlsFirst) this.#begin();
        },
        received: (bytes) => this.#received(bytes),
        secured: (tls) => {
          this.#tls = tls;
          this.#trace.record(login, "login-secured", { login });
          if (tlsFirst) this.#begin();
          else this.#greet();
        },
        closed: (reason) => this.#end(reason, this.#inOrder && reason === "ended"),
      },
    });
  }

  get jid(): string {
    return this.#jid;
  }

  get state(): State {
    return this.#state;
  }

  get login(): string {
    return this.#options.login;
  }

  // What behaviours do, but for what they say.

  /** A new password (XEP-0077 §3.3); without one its account is to be removed (§3.2). */
  changeAccount(password: string | undefined, answered: (done: boolean) => void): void {
    const wanted = password === undefined ? {} : { password };
    this.#change = { id: this.say.accountChange(wanted), wanted, answered };
  }

  /** Closes the stream in order (RFC 6120 §4.4). */
  leave(): void {
    if (this.#state === "ended" || this.#state === "leaving") return;
    if (this.#state === "connecting") return this.abort();
    this.#leaving();
    this.#wire.write(this.#dialect.end);
  }

  /** The process dies: its kernel resets the connection. */
  abort(): void {
    this.#wire.reset();
    this.#end("aborted", false);
  }

  /** The host dies: nobody hears of it. */
  vanish(): void {
    this.#wire.vanish();
    this.#end("vanished", false);
  }

  /**
   * A sign of life (RFC 6120 §4.6.1), unless it has given another since it was last asked for one: a server
   * that died without a word is found out by it.
   */
  keepAlive(): void {
    if (this.#state === "online" && !this.#hasWritten) this.#wire.ping();
    this.#hasWritten = false;
  }

  /** Has the network taken all that was sent? Who sends much should wait for it. */
  flushed(): boolean {
    return this.#wire.unsentBytes() === 0;
  }

  setReading(reading: boolean): void {
    if (reading === this.#reads) return;
    this.#reads = reading;
    const { login } = this.#options;
    this.#trace.record(login, reading ? "reading-resumed" : "reading-stopped", { login });
    this.#wire.setReading(reading);
  }

  /** Sends what no client should; the next error or end is its answer. */
  attack(name: string, data: BinaryString): void {
    const { login } = this.#options;
    this.#trace.record(login, "attack-sent", { login, attack: name });
    this.#attack = name;
    this.#wire.write(data);
  }

  #takenOver(stage: Stage): boolean {
    return this.#options.takeOver?.(stage, this) ?? false;
  }

  #write(data: BinaryString): void {
    if (this.#state === "ended") return;
    this.#hasWritten = true;
    this.#wire.write(this.#dialect.element(data));
  }

  /** With what should follow its success, if it does not wait for that. */
  #writeAhead(first: BinaryString): void {
    const all = [first, ...sentAhead(this.#opening(), this.#dialect)];
    for (const data of this.#dialect.together(all)) this.#write(data);
  }

  // Negotiation.

  #begin(): void {
    if (!this.#takenOver("opened")) this.#greet();
  }

  #greet(): void {
    this.#state = "greeting";
    this.#reader = this.#dialect.newReader();
    if (!(this.#authenticated && this.#options.pipelines === true)) {
      this.#write(this.#dialect.header(this.#opening().host));
    }
  }

  #opening(): Opening {
    const { host, resource, pipelines = false } = this.#options;
    const spelling = this.#spelling;
    return { host: spelling.address(host), resource: spelling.resource(resource), pipelines };
  }

  #received(bytes: Uint8Array): void {
    if (this.#state === "ended") return;
    this.#reader.push(bytes);
    const reader = this.#reader;
    // A restart swaps the reader; what follows in the old one belongs to nobody.
    while (this.#reader === reader && this.#mayRead()) {
      const event = this.#next(reader);
      if (event === undefined) return;
      if (event.kind === "element") this.#element(event);
      else if (event.kind === "closed") this.#peerClosed();
      else this.#answeredBy = event.attributes.get("from") ?? "nobody";
    }
  }

  /** A server that sends what is no XML is a finding, and this login's end. */
  #next(reader: Reader): ReaderEvent | undefined {
    try {
      return reader.next();
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      this.#misspoke(error.message);
      this.abort();
      return undefined;
    }
  }

  /** Asked anew after every event, since an event may end the login. */
  #mayRead(): boolean {
    return this.#state !== "ended";
  }

  #element(element: Stanza): void {
    if (element.namespace === NS.streams && element.name === "error") {
      return this.#streamError(element);
    }
    if (element.namespace === NS.streams && element.name === "features") {
      return this.#features(element);
    }
    if (element.namespace === NS.framing) {
      if (element.name === "close") return this.#peerClosed();
      this.#answeredBy = element.from ?? "nobody";
      return;
    }
    if (element.namespace === NS.tls) {
      if (element.name !== "proceed") return void this.#answered("starttls failure");
      this.#state = "securing";
      return this.#wire.startTls();
    }
    if (element.namespace === NS.sasl) return this.#saslElement(element);
    if (element.namespace !== NS.client) return this.#misspoke(`<${element.name}/> is no stanza`);
    if (element.name === "iq") return this.#iq(element);
    if (element.name === "message") return this.#hears.message(element);
    if (element.name === "presence") return this.#hears.presence(element);
  }

  #features(features: Stanza): void {
    if (this.#state !== "greeting") return;
    const stage = this.#authenticated ? "authenticated" : this.#tls ? "secured" : "clear";
    const { host, door } = this.#options;
    this.#offered = offeredBy(features);
    if (this.#answeredBy !== host) this.#misspoke(`its stream is of ${this.#answeredBy}`);
    const reached = { door, secured: this.#tls !== undefined, authenticated: this.#authenticated };
    const wrong = wrongOffer(this.#offered, reached);
    if (wrong !== undefined) this.#misspoke(wrong);
    if (this.#takenOver(stage)) return;
    if (this.#authenticated) return this.#bind();
    if (this.#offered.has("starttls") && this.#tls === undefined && door !== "in-the-clear") {
      return this.#write(`<starttls xmlns='${NS.tls}'/>`);
    }
    if (this.#options.register !== undefined && !this.#registered) return this.#register();
    this.authenticate();
  }

  /** A client that keeps to what is offered would go no further. */
  #needs(feature: string): void {
    if (!this.#offered.has(feature)) this.#misspoke(`no ${feature} is offered`);
  }

  #misspoke(what: string): void {
    const { login } = this.#options;
    this.#trace.record(login, "server-misspoke", { login, what });
  }

  authenticate(): void {
    this.#state = "authenticating";
    this.#sasl = this.#options.sasl(this.#tls);
    const initial = this.#sasl.initial();
    const data = initial.length === 0 ? "=" : toBase64(initial);
    const { mechanism } = this.#sasl;
    this.#needs(mechanism);
    const auth = `<auth xmlns='${NS.sasl}' mechanism='${mechanism}'>${data}</auth>`;
    if (mechanism === "PLAIN") this.#writeAhead(auth);
    else this.#write(auth);
  }

  #saslElement(element: Stanza): void {
    const { login, user } = this.#options;
    const condition = element.name === "failure" ? firstChild(element, NS.sasl) : element.name;
    this.#answered(condition);
    if (this.#state !== "authenticating" || this.#sasl === undefined) return;
    if (element.name === "failure") {
      this.#trace.record(login, "login-refused", { login, condition });
      const insists = this.#options.insists === true && condition === "not-authorized";
      return insists ? this.authenticate() : this.leave();
    }
    const data = fromBase64(element.element().getText().trim()) ?? new Uint8Array(0);
    if (element.name === "challenge") {
      const response = this.#sasl.respond(data);
      if (response === undefined) return this.#write(`<abort xmlns='${NS.sasl}'/>`);
      return this.#writeAhead(`<response xmlns='${NS.sasl}'>${toBase64(response)}</response>`);
    }
    if (element.name !== "success") return;
    if (!this.#sasl.accepts(data)) {
      this.#trace.record(login, "login-refused", { login, condition: "server not authentic" });
      return this.abort();
    }
    this.#authenticated = true;
    this.#trace.record(login, "login-authenticated", { login, user });
    // A server that goes on unasked (it is shutting down) may have been read as one with its success.
    const rest = this.#reader.rest();
    this.#greet();
    if (rest.length > 0) this.#received(rest);
  }

  #register(): void {
    const { login, user, register = "" } = this.#options;
    this.#state = "registering";
    this.#needs("register");
    this.#trace.record(login, "registration-sent", { login, user });
    const named = { user: this.#spelling.user(nameOf(user)), password: register };
    this.#write(accountIq("", "register", named));
  }

  #bind(): void {
    this.#state = "binding";
    this.#needs("bind");
    if (this.#options.pipelines !== true) this.#write(bindRequest(this.#opening()));
  }

  #streamError(element: Stanza): void {
    const { login } = this.#options;
    const condition = firstChild(element, NS.streamErrors);
    this.#answered(condition);
    this.#trace.record(login, "stream-error-received", { login, condition });
  }

  #peerClosed(): void {
    if (this.#state === "leaving") this.#inOrder = true;
    else {
      this.#leaving();
      this.#wire.write(this.#dialect.end);
    }
    this.#wire.close();
  }

  #leaving(): void {
    const { login } = this.#options;
    this.#state = "leaving";
    this.#trace.record(login, "login-leaving", { login });
  }

  // Stanzas.

  #iq(iq: Stanza): void {
    const { login, user } = this.#options;
    if (iq.type === "get" || iq.type === "set") return this.#answerIq(iq);
    const outcome = iq.type === "result" ? "result" : errorCondition(iq);
    if (this.#state === "binding" && iq.id === "bind") return this.#bound(iq, outcome);
    if (this.#state === "registering" && iq.id === "register") {
      this.#registered = outcome === "result";
      this.#trace.record(login, "registration-answered", { login, user, outcome });
      return this.#registered ? this.authenticate() : this.leave();
    }
    const change = this.#change;
    if (change !== undefined && iq.id === change.id) return this.#changed(change, outcome);
    if (this.#attack !== undefined) {
      if (outcome !== "result") this.#answered(outcome);
      return; // what it asked to be a nuisance may be answered; nothing else is asked meanwhile
    }
    this.#hears.answer(iq, outcome);
  }

  #changed({ wanted, answered }: AccountChange, outcome: string): void {
    const { login, user } = this.#options;
    this.#change = undefined;
    this.#trace.record(login, "account-change-answered", { login, user, ...wanted, outcome });
    answered(outcome === "result");
  }

  #bound(iq: Stanza, outcome: string): void {
    const { login, priority } = this.#options;
    const jid = iq.payload(NS.bind, "bind")?.getChildText("jid", NS.bind) ?? "";
    if (outcome !== "result" || jid === "") {
      this.#trace.record(login, "bind-refused", { login, condition: outcome });
      return this.leave();
    }
    this.#jid = jid;
    this.#state = "online";
    this.#trace.record(login, "login-bound", { login, jid });
    if (this.#takenOver("online")) return;
    this.say.presence(true, priority);
    this.#options.events.online(jid);
  }

  #answerIq(iq: Stanza): void {
    const answer = (): void => {
      if (this.#state === "online") this.say.answer(iq);
    };
    if (this.#options.answer === undefined) answer();
    else this.#options.answer(answer);
  }

  /** Was this the answer to an attack? */
  #answered(answer: string): boolean {
    const attack = this.#attack;
    if (attack === undefined) return false;
    const { login } = this.#options;
    this.#attack = undefined;
    this.#trace.record(login, "attack-answered", { login, attack, answer });
    return true;
  }

  #end(reason: string, clean: boolean): void {
    if (this.#state === "ended") return;
    const { login } = this.#options;
    this.#answered(`connection ${reason}`);
    this.#state = "ended";
    this.#trace.record(login, "login-ended", { login, reason, clean });
    this.#options.events.ended(reason, clean);
  }
}

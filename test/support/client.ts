/**
 * Client: an XMPP client of our own, written from the RFCs over bare sockets, for tests of a real server.
 *
 * It shares no parsing or stream code with the server: XML is read by saxes. It says what it is told to
 * and hands back what it got, element by element; nothing is answered by itself.
 */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { randomBytes } from "node:crypto";
import type { ClientSasl } from "../../sim/clients/authentication.ts";
import type { TlsInfo } from "../../src/ports/network.ts";
import { Inbox, type Node } from "./client-inbox.ts";
import { saslFor, tlsInfoOf } from "./client-sasl.ts";

export type { Node } from "./client-inbox.ts";

export interface ConnectOptions {
  readonly port: number;
  /** The XMPP host; also the name that TLS asks for. */
  readonly host?: string;
  readonly security?: "starttls" | "tls" | "none";
  readonly tls?: ConnectionOptions;
}

export interface LoginOptions extends ConnectOptions {
  readonly user: string;
  readonly password?: string;
  readonly resource?: string;
  readonly mechanism?: string;
  readonly binding?: "tls-exporter" | "tls-unique" | "tls-server-end-point";
  /** Send initial presence after binding? */
  readonly available?: boolean;
}

/** What every account's password is unless a test says otherwise. */
export const usualPassword = "pencil";

const sasl = "urn:ietf:params:xml:ns:xmpp-sasl";

export class Client {
  readonly host: string;
  readonly inbox = new Inbox();
  socket: Socket;
  jid = "";
  /** Children of the last <stream:features/>. */
  features: readonly Node[] = [];
  #ids = 0;
  #tls: TlsInfo | undefined;

  constructor(socket: Socket, host: string) {
    this.socket = socket;
    this.host = host;
    this.#listen(socket);
  }

  /** A connection on which nothing has been said, over TLS if asked. */
  static async connect(options: ConnectOptions): Promise<Client> {
    const { port, host = "localhost", security = "starttls" } = options;
    if (security !== "tls") {
      const socket = connectTcp({ port, host: "127.0.0.1" });
      await happens(socket, "connect");
      return new Client(socket, host);
    }
    const secured = connectTls({
      port,
      host: "127.0.0.1",
      servername: host,
      rejectUnauthorized: false,
      ...options.tls,
    });
    await happens(secured, "secureConnect");
    return new Client(secured, host);
  }

  /** Connected, secured, with the features of the stream that can authenticate. */
  static async secured(options: ConnectOptions): Promise<Client> {
    const client = await Client.connect(options);
    await client.open();
    if ((options.security ?? "starttls") === "starttls") await client.startTls(options.tls);
    return client;
  }

  static async login(options: LoginOptions): Promise<Client> {
    const client = await Client.secured(options);
    const outcome = await client.authenticate(options);
    if (outcome !== "success") throw new Error(`${options.user} cannot log in: ${outcome}`);
    await client.open();
    await client.bind(options.resource);
    if (options.available !== false) client.send("<presence/>");
    return client;
  }

  get secured(): TLSSocket | undefined {
    return "getCipher" in this.socket ? (this.socket as TLSSocket) : undefined;
  }

  send(xml: string): void {
    this.socket.write(xml);
  }

  /** Opens a stream and reads its features. */
  async open(): Promise<void> {
    this.inbox.restart();
    this.send(headerTo(this.host));
    const features = await this.inbox.next();
    if (features.name !== "stream:features") throw new Error(`no features: ${features.xml}`);
    this.features = features.children;
  }

  async startTls(options: ConnectionOptions = {}): Promise<void> {
    this.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    const answer = await this.inbox.next();
    if (answer.name !== "proceed") throw new Error(`no TLS: ${answer.xml}`);
    await this.upgrade(options);
    await this.open();
  }

  /** The TLS handshake over this connection. */
  async upgrade(options: ConnectionOptions = {}): Promise<void> {
    const { socket } = this;
    socket.removeAllListeners("data").removeAllListeners("close");
    const secured = connectTls({
      socket,
      servername: this.host,
      rejectUnauthorized: false,
      ...options,
    });
    await happens(secured, "secureConnect");
    this.socket = secured;
    this.#listen(secured);
  }

  get mechanisms(): readonly string[] {
    const found = this.features.find(({ name }) => name === "mechanisms");
    return found?.children.map(({ text }) => text) ?? [];
  }

  /** `success`, or the condition of the failure. */
  async authenticate(options: Omit<LoginOptions, "port">): Promise<string> {
    const mechanism = options.mechanism ?? "SCRAM-SHA-256";
    const { user, password = usualPassword, binding } = options;
    this.#tls ??= tlsInfoOf(this.secured); // Node tells the peer's certificate but once
    return this.exchange(saslFor({ mechanism, user, password, binding, tls: this.#tls }));
  }

  async exchange(client: ClientSasl): Promise<string> {
    const initial = Buffer.from(client.initial()).toString("base64") || "=";
    this.send(`<auth xmlns='${sasl}' mechanism='${client.mechanism}'>${initial}</auth>`);
    for (;;) {
      const answer = await this.inbox.next();
      const data = Buffer.from(answer.text, "base64");
      switch (answer.name) {
        case "challenge": {
          const response = client.respond(data) ?? new Uint8Array(0);
          this.send(
            `<response xmlns='${sasl}'>${Buffer.from(response).toString("base64")}</response>`,
          );
          break;
        }
        case "success":
          return client.accepts(data) ? "success" : "the server did not prove itself";
        case "failure":
          return answer.children[0]?.name ?? "failure";
        default:
          throw new Error(`not SASL: ${answer.xml}`);
      }
    }
  }

  async bind(resource?: string): Promise<void> {
    const wanted = resource === undefined ? "" : `<resource>${resource}</resource>`;
    const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>${wanted}</bind>`;
    const answer = await this.ask(`<iq type='set' id='bind'>${bind}</iq>`, "bind");
    const jid = answer.children[0]?.children[0]?.text;
    if (answer.attributes["type"] !== "result" || jid === undefined) {
      throw new Error(`no resource: ${answer.xml}`);
    }
    this.jid = jid;
  }

  /** Sends an iq and waits for the element with its id. */
  async ask(xml: string, id: string): Promise<Node> {
    this.send(xml);
    return this.inbox.find(({ attributes }) => attributes["id"] === id);
  }

  /** An iq of any kind: type, address ("" for none) and payload; its answer. */
  async iq(type: "get" | "set", to: string, payload: string): Promise<Node> {
    const id = `q${++this.#ids}`;
    const address = to === "" ? "" : ` to='${to}'`;
    return this.ask(`<iq type='${type}' id='${id}'${address}>${payload}</iq>`, id);
  }

  /** A round trip: whatever was sent before it has been dealt with. */
  async ping(): Promise<void> {
    await this.iq("get", this.host, "<ping xmlns='urn:xmpp:ping'/>");
  }

  /** Makes an account (XEP-0077); the condition where it is refused. */
  async register(user: string, password = usualPassword): Promise<string> {
    const fields = `<username>${user}</username><password>${password}</password>`;
    const answer = await this.iq(
      "set",
      this.host,
      `<query xmlns='jabber:iq:register'>${fields}</query>`,
    );
    if (answer.attributes["type"] === "result") return "registered";
    const error = answer.children.find(({ name }) => name === "error");
    return error?.children[0]?.name ?? "error";
  }

  /** Closes as RFC 6120 §4.4 says, and waits until the connection is gone. */
  async close(): Promise<void> {
    this.send("</stream:stream>");
    await this.inbox.closed;
  }

  /** Gone without a word. */
  vanish(): void {
    this.socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on("data", (bytes: Buffer) => this.inbox.push(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => this.inbox.close());
  }
}

export function headerTo(host: string): string {
  return `<?xml version='1.0'?><stream:stream to='${host}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
}

/** Accounts with the usual password, made by in-band registration. */
export async function registerAll(port: number, users: readonly string[]): Promise<void> {
  for (const user of users) {
    const client = await Client.secured({ port });
    const outcome = await client.register(user);
    if (outcome !== "registered") throw new Error(`${user} was not registered: ${outcome}`);
    await client.close();
  }
}

export function fresh(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString("hex")}`;
}

/** Like events.once, but an error or an early end rejects with what happened. */
function happens(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error(`closed before ${event}`));
    socket.once("error", reject);
    socket.once("close", ended);
    socket.once(event, () => {
      socket.off("error", reject);
      socket.off("close", ended);
      resolve();
    });
  });
}

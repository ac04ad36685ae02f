/**
 * Connection: one client, logged in by reading for a few marks instead of parsing.
 *
 * Good for talking to servers that behave; anything unexpected rejects `loggedIn` with what was read.
 * Output of one turn is gathered and written once, as a server should do.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ScramClient } from "./scram.ts";
import { domain, password, resource, user } from "./spec.ts";

const header = `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
const saslNamespace = "urn:ietf:params:xml:ns:xmpp-sasl";
const bindRequest = `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

export interface ConnectionOptions {
  readonly index: number;
  readonly port: number;
  readonly tls: boolean;
  /** Bytes that came after login, one character each. */
  readonly onText: (connection: Connection, text: string) => void;
  readonly onClosed: () => void;
}

export class Connection {
  readonly index: number;
  readonly loggedIn: Promise<void>;
  /** Text that the owner has not understood yet, such as half a message. */
  carry = "";
  readonly #socket: Socket;
  #scram: ScramClient | undefined;
  #out = "";
  #ending = false;

  constructor(options: ConnectionOptions) {
    this.index = options.index;
    const at = { host: "127.0.0.1", port: options.port };
    this.#socket = options.tls
      ? connectTls({ ...at, servername: domain, rejectUnauthorized: false })
      : connect(at);
    this.#socket.setNoDelay(true);
    this.#socket.setEncoding("latin1");
    let seen = "";
    this.loggedIn = new Promise((resolve, reject) => {
      const negotiate = (text: string): void => {
        seen += text;
        const rest = this.#negotiate(seen);
        if (rest === "refused") return reject(new Error(`login failed: ${seen.slice(-400)}`));
        if (rest === "incomplete") return;
        seen = "";
        if (rest === "continue") return;
        this.#socket.off("data", negotiate);
        this.#socket.on("data", (more: string) => options.onText(this, more));
        resolve();
      };
      this.#socket.on("data", negotiate);
      this.#socket.on("error", (error) => reject(error));
      this.#socket.on("close", () => {
        reject(new Error(`closed during login: ${seen.slice(-400)}`));
        if (!this.#ending) options.onClosed();
      });
    });
    this.#socket.on(options.tls ? "secureConnect" : "connect", () => this.#socket.write(header));
  }

  /** Gathers output until the turn ends. */
  send(text: string): void {
    if (this.#out === "") {
      if (dirty.length === 0) setImmediate(flushAll);
      dirty.push(this);
    }
    this.#out += text;
  }

  flush(): void {
    this.#socket.write(this.#out, "latin1");
    this.#out = "";
  }

  /** Ends the stream properly and waits until the server has closed too. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#socket.end("</stream:stream>");
    if (!this.#socket.closed) await new Promise<void>((done) => this.#socket.once("close", done));
  }

  #negotiate(seen: string): "incomplete" | "continue" | "refused" | "done" {
    if (/<failure|<stream:error|type=['"]error/.test(seen)) return "refused";
    if (seen.includes("</stream:features>")) {
      if (seen.includes("urn:ietf:params:xml:ns:xmpp-bind")) this.#socket.write(bindRequest);
      else this.#socket.write(this.#auth(seen.includes(">SCRAM-SHA-1<")));
      return "continue";
    }
    const challenge = /<challenge[^>]*>([^<]+)<\/challenge>/.exec(seen)?.[1];
    if (challenge !== undefined) {
      const data = this.#scram?.final(Buffer.from(challenge, "base64").toString()) ?? "";
      this.#socket.write(`<response xmlns='${saslNamespace}'>${base64(data)}</response>`);
      return "continue";
    }
    if (/<success[^>]*(\/>|>[^<]*<\/success>)/.test(seen)) {
      this.#socket.write(header);
      return "continue";
    }
    if (/<iq [^>]*type=['"]result[^>]*>[^]*<\/iq>/.test(seen)) return "done";
    return "incomplete";
  }

  /** SCRAM-SHA-1 where it is offered, since every server has it; the relay knows PLAIN only. */
  #auth(scramOffered: boolean): string {
    const name = user(this.index);
    this.#scram = scramOffered ? new ScramClient(name, password) : undefined;
    const mechanism = scramOffered ? "SCRAM-SHA-1" : "PLAIN";
    const initial = this.#scram?.first() ?? `\0${name}\0${password}`;
    return `<auth xmlns='${saslNamespace}' mechanism='${mechanism}'>${base64(initial)}</auth>`;
  }
}

const dirty: Connection[] = [];

function flushAll(): void {
  for (const connection of dirty.splice(0)) connection.flush();
}

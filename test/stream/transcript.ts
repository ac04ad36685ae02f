/**
 * Transcript: a conversation with a stream as text, replayed and written down again for comparison.
 *
 *     C: what the client sends        S: what the stream writes in answer
 *     W: what the world does          E: what else the stream asks for
 *
 * `C` and `W` lines are played, `S` and `E` lines are what came of them. To be readable, headers are
 * `<stream to='…'>` and `<open …/>`, and namespaces of `urn:ietf:params:xml:ns:xmpp-` lose that part.
 */
import { bytesFromText, textFromBytes, bytesFromBinary } from "../../src/base/bytes.ts";
import type { Now } from "../../src/base/time.ts";
import type { TlsInfo } from "../../src/ports/network.ts";
import { C2sStream, type C2sEffect, type C2sInput, type C2sOptions } from "../../src/stream/c2s.ts";
import { saslRefusal, type SaslFailure } from "../../src/stream/sasl/exchange.ts";
import { errorReply, resultReply } from "../../src/xmpp/stanza-error.ts";
import type { Stanza } from "../../src/xmpp/stanza.ts";
import type { StreamErrorCondition } from "../../src/xmpp/stream-error.ts";
import { stanza } from "../router/scene.ts";

export const tls: TlsInfo = {
  protocol: "TLSv1.3",
  cipher: "TLS_AES_256_GCM_SHA384",
  bindings: { "tls-exporter": new Uint8Array(32) },
};

const defaults: C2sOptions = {
  connection: 1,
  framing: "tcp",
  hosts: ["localhost", "other.test"],
  entropy: { bytes: (count) => new Uint8Array(count) },
  tls: undefined,
  tlsMode: "starttls_required",
  mechanisms: (secured) => (secured === undefined ? [] : ["SCRAM-SHA-256", "PLAIN"]),
  registration: false,
  maxStanzaSize: 2_000,
  maxAuthAttempts: 3,
  maxRequestsBeforeBinding: 2,
  negotiationTimeout: 30_000,
  maxSendQueue: 200,
  sendTimeout: 10_000,
  keepAliveInterval: 60_000,
};

const urn = "urn:ietf:params:xml:ns:xmpp-";
const short = ["sasl", "tls", "bind", "session", "streams", "stanzas", "framing"].join("|");

/** Plays the `C` and `W` lines of a transcript; returns all lines as they came to be. */
export function replay(text: string, options: Partial<C2sOptions> = {}): string {
  const player = new Player({ ...defaults, ...options });
  const lines = text.split("\n").map((line) => line.trim());
  for (const line of lines) if (/^[CW]: /.test(line)) player.play(line);
  return player.lines.join("\n");
}

/** The transcript without indentation and empty lines, as `replay` writes it. */
export function tidy(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n");
}

export class Player {
  readonly lines: string[] = [];
  readonly effects: C2sEffect[] = [];
  readonly stream: C2sStream;
  #now: Now = { at: 1_000, wall: 0 };
  #asked: Stanza | undefined;

  constructor(options: Partial<C2sOptions> = {}) {
    this.stream = new C2sStream(this.#now, { ...defaults, ...options });
  }

  play(line: string): void {
    this.lines.push(line);
    const words = line.slice(3);
    this.step(line.startsWith("C") ? received(words) : this.#worldInput(words));
  }

  step(input: C2sInput): void {
    let written = "";
    const flush = (): void => {
      if (written !== "") this.lines.push(`S: ${shorten(written)}`);
      written = "";
    };
    for (const effect of this.stream.step(this.#now, input)) {
      if (effect.type === "stanzas-first") {
        this.step({ type: "stanzas-done" }); // in a transcript nothing follows from stanzas by itself
        continue;
      }
      this.effects.push(effect);
      if (effect.type === "bind" || effect.type === "register") this.#asked = effect.request;
      if (effect.type === "write") written += effect.data;
      else {
        flush();
        this.lines.push(`E: ${wordsOf(effect)}`);
      }
    }
    flush();
  }

  #worldInput(words: string): C2sInput {
    const [verb = "", first = ""] = words.split(" ");
    const rest = words.slice(verb.length + 1);
    switch (verb) {
      case "tls-established":
        return { type: "tls-established", tls };
      case "congested":
      case "drained":
      case "closed":
        return { type: `connection-${verb}` };
      case "challenge":
        return { type: "challenge-issued", data: bytesFromText(rest) };
      case "success":
        return {
          type: "authentication-finished",
          outcome: { type: "success", username: first },
        };
      case "failure": {
        const condition = first as SaslFailure;
        return { type: "authentication-finished", outcome: { type: "failure", condition } };
      }
      case "refusal": {
        const outcome = saslRefusal(first as SaslFailure, "another mechanism may do");
        return { type: "authentication-finished", outcome };
      }
      case "bound":
        return { type: "bound" };
      case "bind-refused": {
        const reply = this.#asked === undefined ? undefined : errorReply(this.#asked, "conflict");
        return { type: "bind-refused", reply: reply ?? stanza("<iq/>") };
      }
      case "answer":
        return {
          type: "deliver",
          delivery: { stanza: resultReply(this.#asked ?? stanza("<iq id='0' type='get'/>")) },
        };
      case "deliver":
        return { type: "deliver", delivery: { stanza: stanza(rest), from: "romeo@localhost/a" } };
      case "after":
        this.#now = { at: this.#now.at + Number(first), wall: 0 };
        return { type: "deadline-reached" };
      case "end": {
        const condition = first as StreamErrorCondition;
        return first === "" ? { type: "end" } : { type: "end", condition, text: "because" };
      }
      default:
        throw new TypeError(`the world cannot ${words}`);
    }
  }
}

export function received(words: string): C2sInput {
  return { type: "bytes-received", bytes: bytesFromText(expand(words)) };
}

export function expand(words: string): string {
  return words
    .replaceAll(
      "<stream ",
      "<?xml version='1.0'?><stream:stream version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' ",
    )
    .replaceAll("</stream>", "</stream:stream>")
    .replaceAll("<open ", "<open version='1.0' xmlns='framing' ")
    .replace(new RegExp(`xmlns='(${short})'`, "g"), `xmlns='${urn}$1'`);
}

function shorten(binary: string): string {
  return textFromBytes(bytesFromBinary(binary))
    .replace(/<\?xml version='1.0'\?><stream:stream [^>]*( from='[^']*')[^>]*>/g, "<stream$1>")
    .replace(/<open [^>]*( from='[^']*')[^>]*>/g, "<open$1/>")
    .replaceAll("</stream:stream>", "</stream>")
    .replaceAll(urn, "")
    .replaceAll(`xmlns="${urn}`, 'xmlns="');
}

function wordsOf(effect: C2sEffect): string {
  switch (effect.type) {
    case "start-tls":
      return `start-tls ${effect.host}`;
    case "authenticate": {
      const { initial } = effect;
      return `authenticate ${effect.mechanism} ${initial === undefined ? "-" : quoted(initial)}`;
    }
    case "respond-to-challenge":
      return `respond-to-challenge ${quoted(effect.data)}`;
    case "bind":
      return `bind ${effect.resource ?? "any"}`;
    case "stanza-received":
      return `stanza-received ${effect.stanza.name} ${effect.stanza.id ?? "-"}`;
    case "undelivered":
      return `undelivered ${effect.deliveries.map((each) => each.stanza.open().id ?? "-").join(" ")}`;
    case "ended":
      return `ended: ${effect.reason}`;
    default:
      return effect.type;
  }
}

function quoted(bytes: Uint8Array): string {
  return JSON.stringify(textFromBytes(bytes).replaceAll("\0", "|"));
}

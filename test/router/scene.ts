/** Scene: a router, its sessions and stanzas as clients would send them, without any stream. */
import { bytesFromText } from "../../src/base/bytes.ts";
import { Directory } from "../../src/router/directory.ts";
import { feature } from "../../src/router/feature.ts";
import { Router, type RouterEffect } from "../../src/router/router.ts";
import { Session } from "../../src/router/session.ts";
import { JidCache, parseJid, type Jid } from "../../src/xmpp/jid.ts";
import { Reader } from "../../src/xmpp/reader.ts";
import { resultReply } from "../../src/xmpp/stanza-error.ts";
import type { Stanza } from "../../src/xmpp/stanza.ts";

/** Answers `<iq type='get'><known xmlns='urn:test:known'/></iq>`, whoever is asked. */
const known = feature({
  name: "known",
  xeps: [],
  iq: {
    "get server urn:test:known": (iq) => resultReply(iq.stanza),
    "get self urn:test:known": (iq) => resultReply(iq.stanza),
    "get account urn:test:known": (iq) => resultReply(iq.stanza),
  },
});

export class Scene {
  readonly directory = new Directory();
  readonly sessions = this.directory.local;
  readonly router = new Router(["localhost", "other.test"], this.directory, new JidCache(64), [
    known,
  ]);
  #connection = 0;

  /** A bound session; with a priority it has sent initial presence. */
  bind(full: string, priority?: number): Session {
    const session = new Session(++this.#connection, jid(full), `sid-${this.#connection}`, 0, "en");
    if (priority !== undefined) {
      session.available = true;
      session.priority = priority;
    }
    this.sessions.add(session);
    return session;
  }

  send(sender: Session, xml: string): readonly RouterEffect[] {
    return this.router.route(sender, stanza(xml));
  }

  /** What became of a stanza, in a few words: see `wordsOf`. */
  fate(sender: Session, xml: string): string {
    return wordsOf(this.send(sender, xml), sender);
  }
}

export function jid(text: string): Jid {
  const parsed = parseJid(text);
  if (parsed === undefined) throw new TypeError(`not a JID: ${text}`);
  return parsed;
}

/** A stanza as the reader makes it of a client's bytes. */
export function stanza(xml: string): Stanza {
  const reader = new Reader({ maxStanzaSize: 65_536 });
  reader.push(
    bytesFromText(
      `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>${xml}`,
    ),
  );
  const header = reader.next();
  const element = reader.next();
  if (header?.kind !== "opened" || element?.kind !== "element") {
    throw new TypeError(`not a stanza: ${xml}`);
  }
  return element;
}

/**
 * `phone laptop` (resources that it was delivered to), `error <condition>` (back to the sender), `handled`,
 * `stranded` (an answer for nobody in sight),
 * `closed <condition>` (the sender's stream), or `-` for nothing.
 */
export function wordsOf(effects: readonly RouterEffect[], sender: Session): string {
  if (effects.length === 0) return "-";
  return effects.map((effect) => wordOf(effect, sender)).join(" ");
}

function wordOf(effect: RouterEffect, sender: Session): string {
  if (effect.type === "handle-iq") return "handled";
  if (effect.type === "forward") return effect.target;
  if (effect.type === "strand") return "stranded";
  if (effect.type === "close-stream") return `closed ${effect.condition}`;
  const { session, stanza: delivered } = effect;
  const opened = delivered.open();
  if (session === sender && opened.type === "error" && effect.from === undefined) {
    return `error ${conditionOf(opened)}`;
  }
  return session.jid.resource;
}

export function conditionOf(error: Stanza): string {
  return error.element().getChild("error")?.getChildElements()[0]?.getName() ?? "none";
}

/**
 * Binding: may this user have this resource (RFC 6120 §7)?
 *
 * A pure decision over the session directory; whoever calls it adds the session and ends the one that
 * was replaced.
 */
import { createElement as xml } from "ltx";
import { toHex } from "../base/bytes.ts";
import type { Now } from "../base/time.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { ConnectionId } from "../ports/network.ts";
import { Session } from "../router/session.ts";
import type { Sessions } from "../router/sessions.ts";
import { jidOf, type Jid } from "../xmpp/jid.ts";
import { NS } from "../xmpp/namespaces.ts";
import { errorReply, resultReply, type StanzaErrorCondition } from "../xmpp/stanza-error.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import type { Config } from "./config.ts";

export interface BindRequest {
  readonly now: Now;
  readonly request: Stanza;
  /** As the client sent it; undefined: the server chooses. */
  readonly resource: string | undefined;
  /** Prepared. */
  readonly username: string;
  readonly host: string;
  readonly lang: string;
  readonly connection: ConnectionId;
  readonly sessions: Sessions;
  readonly limits: Config["sessions"];
  readonly entropy: Entropy;
}

export type BindOutcome =
  | {
      readonly type: "bound";
      readonly session: Session;
      readonly replaced: Session | undefined;
      readonly reply: Stanza;
    }
  | { readonly type: "refused"; readonly reply: Stanza };

export function bind(asked: BindRequest): BindOutcome {
  const { sessions, limits, username, host } = asked;
  const wanted = jidOf(username, host, asked.resource ?? newResource(asked.entropy));
  if (wanted === undefined) {
    return refused(asked, "bad-request", "The resource is not valid (RFC 7622 §3.4)");
  }
  const taken = sessions.get(wanted.full);
  if (taken !== undefined && limits.conflict === "refuse_new") {
    return refused(asked, "conflict", `The resource "${wanted.resource}" is in use`);
  }
  const jid =
    taken !== undefined && limits.conflict === "make_new_resource"
      ? wanted.withResource(newResource(asked.entropy))
      : wanted;
  const replaced = jid === wanted ? taken : undefined;
  const count = sessions.of(jid).length - (replaced === undefined ? 0 : 1);
  if (count >= limits.max_per_user) {
    const text = `Cannot bind resource "${jid.resource}": ${count} sessions exist, the maximum is ${limits.max_per_user}`;
    return refused(asked, "resource-constraint", text);
  }
  const session = new Session(
    asked.connection,
    jid,
    toHex(asked.entropy.bytes(16)),
    stampFor(asked.now, replaced),
    asked.lang,
  );
  return { type: "bound", session, replaced, reply: boundReply(asked.request, jid) };
}

/** Greater than that of any session it replaces, whatever the wall clock says. */
function stampFor(now: Now, replaced: Session | undefined): number {
  return replaced === undefined ? now.wall : Math.max(now.wall, replaced.stamp + 1);
}

function newResource(entropy: Entropy): string {
  return toHex(entropy.bytes(8));
}

function boundReply(request: Stanza, jid: Jid): Stanza {
  return resultReply(request, xml("bind", { xmlns: NS.bind }, xml("jid", {}, jid.full)));
}

function refused(asked: BindRequest, condition: StanzaErrorCondition, text: string): BindOutcome {
  const reply = errorReply(asked.request, condition, { text }) ?? resultReply(asked.request);
  return { type: "refused", reply };
}

/**
 * Binding: may this user have this resource (RFC 6120 §7)?
 *
 * A pure decision over the session directory of the whole cluster; whoever calls it adds the session and
 * ends the one of this node that was replaced. One of another node is ended there: it loses by its stamp.
 */
import { createElement as xml } from "ltx";
import { toHex } from "../base/bytes.ts";
import type { Now, Timestamp } from "../base/time.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { ConnectionId } from "../ports/network.ts";
import { Session } from "../router/session.ts";
import type { Directory } from "../router/directory.ts";
import { jidAt, type Jid } from "../xmpp/jid.ts";
import { NS } from "../xmpp/namespaces.ts";
import { errorReply, resultReply, type StanzaErrorCondition } from "../xmpp/stanza-error.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import { valueFor } from "./access.ts";
import type { C2sAccess, Config } from "./config.ts";

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
  readonly directory: Directory;
  readonly limits: Config["sessions"];
  /** Who may have a session where the client is connected. */
  readonly access: C2sAccess | undefined;
  readonly entropy: Entropy;
}

export type BindOutcome =
  | {
      readonly type: "bound";
      readonly session: Session;
      /** Of this node. */
      readonly replaced: Session | undefined;
      readonly reply: Stanza;
    }
  | { readonly type: "refused"; readonly reply: Stanza };

export function bind(asked: BindRequest): BindOutcome {
  const { directory, username, host } = asked;
  const wanted = jidAt(host, username, asked.resource ?? newResource(asked.entropy));
  if (wanted === undefined) {
    return refused(asked, "bad-request", "The resource is not valid (RFC 7622 §3.4)");
  }
  if (asked.access !== undefined && valueFor(asked.access, wanted) !== "allow") {
    return refused(asked, "not-allowed", "The access rules of this server do not allow it");
  }
  const limits = limitsFor(asked.limits, wanted);
  const taken = directory.stampOf(wanted.full) !== undefined;
  if (taken && limits.conflict === "refuse_new") {
    return refused(asked, "conflict", `The resource "${wanted.resource}" is in use`);
  }
  const jid =
    taken && limits.conflict === "make_new_resource"
      ? wanted.withResource(newResource(asked.entropy))
      : wanted;
  const count = directory.countOthers(jid);
  if (count >= limits.max_per_user) {
    const text = `Cannot bind resource "${jid.resource}": ${count} sessions exist, the maximum is ${limits.max_per_user}`;
    return refused(asked, "resource-constraint", text);
  }
  const session = new Session(
    asked.connection,
    jid,
    toHex(asked.entropy.bytes(16)),
    stampFor(asked.now, directory.stampOf(jid.full)),
    asked.lang,
  );
  const replaced = directory.local.get(jid.full);
  return { type: "bound", session, replaced, reply: boundReply(asked.request, jid) };
}

function limitsFor(limits: Config["sessions"], jid: Jid): Config["sessions"] {
  const max_per_user = valueFor(limits.max_user_sessions, jid);
  return max_per_user === undefined ? limits : { ...limits, max_per_user };
}

/**
 * Greater than that of any session in sight that has this full JID, whatever the wall clock says: a node
 * whose clock is ten minutes behind would lose every login for ten minutes.
 */
function stampFor(now: Now, greatest: Timestamp | undefined): Timestamp {
  return greatest === undefined ? now.wall : Math.max(now.wall, greatest + 1);
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

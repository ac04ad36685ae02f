/** Kinds: what is this stanza, as far as delivery is concerned (RFC 6121 §4.7.1, §5.2.2)? */
import { NS } from "../xmpp/namespaces.ts";
import type { Stanza } from "../xmpp/stanza.ts";
import type { Kind } from "./delivery-rules.ts";

export function isStanza({ name, namespace }: Stanza): boolean {
  if (namespace !== NS.client) return false;
  return name === "message" || name === "presence" || name === "iq";
}

export function kindOf(stanza: Stanza): Kind | undefined {
  if (stanza.name === "iq") {
    return stanza.type === "get" || stanza.type === "set" ? "iq request" : "iq response";
  }
  return stanza.name === "message" ? messageKind(stanza.type) : presenceKind(stanza.type);
}

/** Does it go to whoever asked, and to nobody else? */
export function isAnswer(kind: Kind): boolean {
  return kind === "iq response" || kind === "message error" || kind === "presence error";
}

/** RFC 6121 §5.2.2: an unknown type of message is a normal one. */
function messageKind(type: string | undefined): Kind {
  switch (type) {
    case "chat":
      return "message chat";
    case "groupchat":
      return "message groupchat";
    case "headline":
      return "message headline";
    case "error":
      return "message error";
    default:
      return "message normal";
  }
}

/** RFC 6121 §4.7.1 */
function presenceKind(type: string | undefined): Kind | undefined {
  switch (type) {
    case undefined:
    case "unavailable":
      return "presence";
    case "subscribe":
    case "subscribed":
    case "unsubscribe":
    case "unsubscribed":
      return "presence subscription";
    case "probe":
      return "presence probe";
    case "error":
      return "presence error";
    default:
      return undefined;
  }
}

/** Undefined where it is not an integer from -128 to 127 (RFC 6121 §4.7.2.3). */
export function priorityOf(presence: Stanza): number | undefined {
  if (!presence.payloads.some(({ name }) => name === "priority")) return 0;
  const text = presence.element().getChildText("priority")?.trim() ?? "";
  if (!/^[+-]?[0-9]{1,3}$/.test(text)) return undefined;
  const priority = Number(text);
  return priority >= -128 && priority <= 127 ? priority : undefined;
}

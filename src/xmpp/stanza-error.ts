/** Stanza errors: what may go wrong with one stanza, and how it is answered (RFC 6120 §8.3). */
import { Element } from "ltx";
import { NS } from "./namespaces.ts";
import { Stanza } from "./stanza.ts";

export type StanzaErrorType = "auth" | "cancel" | "continue" | "modify" | "wait";

/** RFC 6120 §8.3.3: the conditions, each with the type that the RFC recommends. */
const DEFAULT_TYPES = {
  "bad-request": "modify",
  conflict: "cancel",
  "feature-not-implemented": "cancel",
  forbidden: "auth",
  gone: "cancel",
  "internal-server-error": "cancel",
  "item-not-found": "cancel",
  "jid-malformed": "modify",
  "not-acceptable": "modify",
  "not-allowed": "cancel",
  "not-authorized": "auth",
  "policy-violation": "modify",
  "recipient-unavailable": "wait",
  redirect: "modify",
  "registration-required": "auth",
  "remote-server-not-found": "cancel",
  "remote-server-timeout": "wait",
  "resource-constraint": "wait",
  "service-unavailable": "cancel",
  "subscription-required": "auth",
  "undefined-condition": "modify",
  "unexpected-request": "wait",
} as const satisfies Readonly<Record<string, StanzaErrorType>>;

export type StanzaErrorCondition = keyof typeof DEFAULT_TYPES;

export interface StanzaErrorOptions {
  /** Instead of the type that belongs to the condition. */
  readonly type?: StanzaErrorType | undefined;
  /** For people, in English. */
  readonly text?: string | undefined;
  /** Who says so, where that is not the addressee (RFC 6120 §8.3.2). */
  readonly by?: string | undefined;
  /** Instead of the address that the stanza was sent to. */
  readonly from?: string | undefined;
}

/** `<error/>` alone. */
export function errorElement(
  condition: StanzaErrorCondition,
  options: StanzaErrorOptions = {},
): Element {
  const error = new Element("error", {
    type: options.type ?? DEFAULT_TYPES[condition],
    ...(options.by !== undefined && { by: options.by }),
  });
  error.c(condition, { xmlns: NS.stanzas });
  if (options.text !== undefined) {
    error.c("text", { xmlns: NS.stanzas, "xml:lang": "en" }).t(options.text);
  }
  return error;
}

/** Undefined where an answer is forbidden: to an error, or to the result of a request (§8.3.1). */
export function errorReply(
  stanza: Stanza,
  condition: StanzaErrorCondition,
  options: StanzaErrorOptions = {},
): Stanza | undefined {
  if (stanza.isAnswer()) return undefined;
  const reply = replyTo(stanza, "error", options.from ?? stanza.to);
  reply.cnode(errorElement(condition, options));
  return Stanza.of(reply);
}

/** The answer to a request that was done (RFC 6120 §8.2.3). */
export function resultReply(iq: Stanza, payload?: Element): Stanza {
  const reply = replyTo(iq, "result", iq.to);
  if (payload !== undefined) reply.cnode(payload);
  return Stanza.of(reply);
}

function replyTo(stanza: Stanza, type: "error" | "result", from: string | undefined): Element {
  const { id } = stanza;
  return new Element(stanza.name, {
    xmlns: stanza.namespace,
    ...(from !== undefined && { from }),
    ...(stanza.from !== undefined && { to: stanza.from }),
    ...(id !== undefined && { id }),
    type,
  });
}

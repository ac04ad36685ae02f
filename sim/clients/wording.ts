/** Wording: what a simulated client's stanzas say, and what it reads in those of its server. */
import { escapeText, escapeValue } from "../../src/xmpp/escape.ts";
import { NS } from "../../src/xmpp/namespaces.ts";
import type { Stanza } from "../../src/xmpp/stanza.ts";
import type { MessageType } from "../plan.ts";

/** What no server says of a message: so its sender knows that a client did. */
export const declined = "not-acceptable";

export function declineXml(addresses: string, id: string): string {
  const error = `<error type='modify'><${declined} xmlns='${NS.stanzas}'/></error>`;
  return `<message${addresses} id='${escapeValue(id)}' type='error'>${error}</message>`;
}

/** `addresses`: attributes, each with the space before it. */
export function messageXml(
  addresses: string,
  id: string,
  bytes: number,
  type: MessageType,
): string {
  const body = escapeText(bodyHead(id)) + fillerOf(id, bytes);
  return `<message${addresses} id='${escapeValue(id)}' type='${type}'><body>${body}</body></message>`;
}

export function presenceXml(addresses: string, available: boolean, priority: number): string {
  if (!available) return `<presence${addresses} type='unavailable'/>`;
  if (priority === 0) return `<presence${addresses}/>`;
  return `<presence${addresses}><priority>${priority}</priority></presence>`;
}

/** XEP-0077: who is to be known by which password, or no longer to be known. */
export function accountIq(
  addresses: string,
  id: string,
  wanted: "removal" | { readonly user: string; readonly password: string },
): string {
  const fields =
    wanted === "removal"
      ? "<remove/>"
      : `<username>${escapeText(wanted.user)}</username><password>${escapeText(wanted.password)}</password>`;
  return `<iq type='set' id='${escapeValue(id)}'${addresses}><query xmlns='${NS.register}'>${fields}</query></iq>`;
}

/** Every message says which it is, and carries characters of one to four bytes. */
export function bodyOf(id: string, bytes: number): string {
  return bodyHead(id) + fillerOf(id, bytes);
}

/** Characters of all lengths. */
function bodyHead(id: string): string {
  return `${id} ä€😀 `;
}

function fillerOf(id: string, bytes: number): string {
  return "x".repeat(Math.max(0, bytes - bodyHead(id).length));
}

/** The name of the first child in this namespace; "" without one. */
export function firstChild(element: Stanza, namespace: string): string {
  return element.payloads.find((payload) => payload.namespace === namespace)?.name ?? "";
}

/** Features by their names, mechanisms by their own (RFC 6120 §4.3.2, §6.3.3). */
export function offeredBy(features: Stanza): ReadonlySet<string> {
  const mechanisms = features.payload(NS.sasl, "mechanisms")?.getChildElements() ?? [];
  return new Set([
    ...features.payloads.map(({ name }) => name),
    ...mechanisms.map((mechanism) => mechanism.text()),
  ]);
}

export function errorCondition(stanza: Stanza): string {
  const error = stanza.element().getChild("error");
  for (const child of error?.getChildElements() ?? []) {
    if (child.getNS() === NS.stanzas && child.name !== "text") return child.name;
  }
  return "no condition";
}

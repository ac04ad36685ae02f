/** Openings: what a client says to open a stream and to bind, and what of that it may say before it is asked to. */
import { escapeText, escapeValue } from "../../src/xmpp/escape.ts";
import { NS } from "../../src/xmpp/namespaces.ts";

export interface Opening {
  readonly host: string;
  readonly resource: string;
  /** Opens the next stream and binds without waiting for its success (XEP-0305). */
  readonly pipelines?: boolean;
}

export function streamHeader({ host }: Opening): string {
  return `<?xml version='1.0'?><stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}' to='${escapeValue(host)}' version='1.0'>`;
}

export function bindRequest({ resource }: Opening): string {
  const wanted = resource === "" ? "" : `<resource>${escapeText(resource)}</resource>`;
  return `<iq type='set' id='bind'><bind xmlns='${NS.bind}'>${wanted}</bind></iq>`;
}

/** What is to follow success, along with what should bring it about; "" of who waits. */
export function sentAhead(opening: Opening): string {
  return opening.pipelines === true ? streamHeader(opening) + bindRequest(opening) : "";
}

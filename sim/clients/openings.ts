/** Openings: from where a client comes, what it says to open a stream and to bind, and what of that it may say before it is asked to. */
import { escapeText } from "../../src/xmpp/escape.ts";
import { NS } from "../../src/xmpp/namespaces.ts";
import type { BinaryString } from "../../src/base/bytes.ts";
import type { Dialect } from "./dialects.ts";

export interface Opening {
  readonly host: string;
  readonly resource: string;
  /** Opens the next stream and binds without waiting for its success (XEP-0305). */
  readonly pipelines?: boolean;
}

export function bindRequest({ resource }: Opening): string {
  const wanted = resource === "" ? "" : `<resource>${escapeText(resource)}</resource>`;
  return `<iq type='set' id='bind'><bind xmlns='${NS.bind}'>${wanted}</bind></iq>`;
}

/** What is to follow success, along with what should bring it about; nothing of who waits. */
export function sentAhead(opening: Opening, dialect: Dialect): readonly BinaryString[] {
  return opening.pipelines === true ? [dialect.header(opening.host), bindRequest(opening)] : [];
}

/** Addresses differ, so that limits per address are not met by chance. */
export function remoteOf(login: string): string {
  let sum = 0;
  for (let at = 0; at < login.length; at++) sum = (sum * 31 + login.charCodeAt(at)) & 0xffffff;
  return `10.${sum >> 16}.${(sum >> 8) & 255}.${sum & 255}`;
}

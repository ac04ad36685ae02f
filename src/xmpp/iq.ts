/** IQ: is this one that can be answered, or an answer? */
import type { Stanza } from "./stanza.ts";

/** RFC 6120 §8.2.3 */
export function isWellFormedIq(iq: Stanza): boolean {
  if (iq.id === undefined) return false;
  switch (iq.type) {
    case "get":
    case "set":
      return iq.payloads.length === 1;
    case "result":
      return iq.payloads.length <= 1;
    case "error":
      return true;
    default:
      return false;
  }
}

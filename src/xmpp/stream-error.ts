/** Stream errors: what ends a stream, as a closed union and as what is sent (RFC 6120 §4.9). */
import type { BinaryString } from "../base/bytes.ts";
import { escapeText } from "./escape.ts";
import { NS } from "./namespaces.ts";

/** RFC 6120 §4.9.3. `see-other-host` carries its host as the condition's own text. */
export type StreamErrorCondition =
  | "bad-format"
  | "bad-namespace-prefix"
  | "conflict"
  | "connection-timeout"
  | "host-gone"
  | "host-unknown"
  | "improper-addressing"
  | "internal-server-error"
  | "invalid-from"
  | "invalid-namespace"
  | "invalid-xml"
  | "not-authorized"
  | "not-well-formed"
  | "policy-violation"
  | "remote-connection-failed"
  | "reset"
  | "resource-constraint"
  | "restricted-xml"
  | "see-other-host"
  | "system-shutdown"
  | "undefined-condition"
  | "unsupported-encoding"
  | "unsupported-feature"
  | "unsupported-stanza-type"
  | "unsupported-version";

export interface StreamErrorOptions {
  /** Declare the prefix on the element itself: a websocket has no stream header (RFC 7395 §3.4). */
  readonly declarePrefix?: boolean;
  /** For `see-other-host` only: where to go (RFC 6120 §4.9.3.19). */
  readonly host?: string;
}

/** `<stream:error/>` without a closing stream tag. */
export function streamError(
  condition: StreamErrorCondition,
  text?: string,
  options: StreamErrorOptions = {},
): BinaryString {
  const declaration = options.declarePrefix === true ? ` xmlns:stream='${NS.streams}'` : "";
  const host = options.host === undefined ? "/>" : `>${escapeText(options.host)}</${condition}>`;
  const explained =
    text === undefined
      ? ""
      : `<text xmlns='${NS.streamErrors}' xml:lang='en'>${escapeText(text)}</text>`;
  return `<stream:error${declaration}><${condition} xmlns='${NS.streamErrors}'${host}${explained}</stream:error>`;
}

/** The peer sent what no stream may contain; its stream ends with `condition`. */
export class XmlError extends Error {
  override readonly name = "XmlError";
  readonly condition: StreamErrorCondition;
  constructor(condition: StreamErrorCondition, message: string) {
    super(message);
    this.condition = condition;
  }
}

/** GS2 header (RFC 5801 §4, RFC 5802 §7): does the client bind the channel, and for whom does it act? */
import { concatBytes, bytesFromText } from "../../base/bytes.ts";
import type { TlsInfo } from "../../ports/network.ts";

export interface Gs2Header {
  /** The name after `p=`; `n` and `y` say that no channel is bound. */
  readonly binding: string;
  readonly authzid: string;
  /** As it was sent, with both commas: SCRAM's final message repeats it. */
  readonly text: string;
}

const HEADER = /^(?:([ny])|p=(?![ny],)([A-Za-z0-9.-]+)),(?:a=((?:[^,=\0]|=2C|=3D)+))?,/;

export function parseGs2(message: string): Gs2Header | undefined {
  const match = HEADER.exec(message);
  if (match === null) return undefined;
  const authzid = unescapeName(match[3] ?? "");
  const binding = match[1] ?? match[2] ?? "";
  return { binding, authzid, text: match[0] };
}

/** RFC 5802 §5.1: `=2C` and `=3D` stand for comma and equals sign. */
export function unescapeName(text: string): string {
  return text.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

/** What the client's `c=` must be (RFC 5802 §5.1); undefined where we have no such binding. */
export function bindingData(header: Gs2Header, tls: TlsInfo | undefined): Uint8Array | undefined {
  const text = bytesFromText(header.text);
  if (header.binding === "n" || header.binding === "y") return text;
  const bindings: Readonly<Record<string, Uint8Array | undefined>> = tls?.bindings ?? {};
  const data = Object.hasOwn(bindings, header.binding) ? bindings[header.binding] : undefined;
  return data === undefined ? undefined : concatBytes(text, data);
}

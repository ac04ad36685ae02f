/**
 * DER: the little of X.690 that it takes to read two things in a certificate that Node does not show:
 * the signature's algorithm and the XMPP addresses (RFC 6120 §13.7.1.4) of the subject.
 */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** The values that follow each other in `bytes`; throws a RangeError for what is not DER. */
export function derValues(bytes: Uint8Array): readonly DerValue[] {
  const values: DerValue[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = byteAt(bytes, at);
    let length = byteAt(bytes, at + 1);
    at += 2;
    if (length > 0x80) {
      const count = length - 0x80;
      if (count > 4) throw new RangeError("a DER length is too long");
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + byteAt(bytes, at++);
    }
    if (at + length > bytes.length) throw new RangeError("a DER value is cut off");
    values.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return values;
}

/** An OBJECT IDENTIFIER's content as `1.2.840.…`. */
export function objectIdentifier(content: Uint8Array): string {
  const parts: number[] = [];
  let part = 0;
  for (const byte of content) {
    part = part * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (parts.length > 0) parts.push(part);
    else {
      const first = Math.min(Math.floor(part / 40), 2);
      parts.push(first, part - first * 40);
    }
    part = 0;
  }
  return parts.join(".");
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError("a DER value is cut off");
  return byte;
}

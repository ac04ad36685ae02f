/**
 * Messages: whole ones over a byte stream that may be cut anywhere, as WebSocket frames are (RFC 6455).
 *
 * A letter says what it is, a message is preceded by its length; nothing else of frames matters to anybody here.
 */
import { binaryFromBytes, bytesFromBinary, type BinaryString } from "../../src/base/bytes.ts";

/** A sign of life: who gets it is told nothing. */
export const pingFrame: BinaryString = "p";

export function messageFrame(data: BinaryString): BinaryString {
  return `m${data.length}:${data}`;
}

export class Messages {
  #unread: BinaryString = "";

  /** Those that are complete now. */
  read(bytes: Uint8Array): readonly Uint8Array[] {
    this.#unread += binaryFromBytes(bytes);
    const messages: Uint8Array[] = [];
    let at = 0;
    for (;;) {
      if (this.#unread.startsWith(pingFrame, at)) {
        at += pingFrame.length;
        continue;
      }
      const colon = this.#unread.indexOf(":", at);
      const end = colon + 1 + Number(this.#unread.slice(at + 1, Math.max(at, colon)));
      if (colon === -1 || end > this.#unread.length) break;
      messages.push(bytesFromBinary(this.#unread.slice(colon + 1, end)));
      at = end;
    }
    this.#unread = this.#unread.slice(at);
    return messages;
  }
}

/** Raw WebSocket: frames of any kind over a bare socket, for tests of what no WebSocket library would send. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface FrameOptions {
  readonly fin?: boolean;
  readonly masked?: boolean;
  /** The three reserved bits. */
  readonly reserved?: number;
  /** A length other than the payload's own. */
  readonly claimed?: bigint;
}

export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** RFC 6455 §5.2 */
export function frame(
  opcode: number,
  payload: string | Buffer,
  { fin = true, masked = true, reserved = 0, claimed }: FrameOptions = {},
): Buffer {
  const data = Buffer.from(payload);
  const length = claimed ?? BigInt(data.length);
  const head = Buffer.alloc(length < 126n ? 2 : length < 65_536n ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  if (length < 126n) head[1] = Number(length);
  else if (length < 65_536n) head.writeUInt16BE(Number(length), 2);
  else head.writeBigUInt64BE(length, 2);
  if (length >= 126n) head[1] = length < 65_536n ? 126 : 127;
  if (!masked) return Buffer.concat([head, data]);
  head[1] = (head[1] ?? 0) | 0x80;
  const mask = Buffer.from([1, 2, 3, 4]);
  const hidden = data.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([head, mask, hidden]);
}

/** The request that asks for a WebSocket, with lines replaced or (undefined) left out. */
export function upgradeRequest(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const lines: Record<string, string | undefined> = {
    request: "GET /ws-xmpp HTTP/1.1",
    host: "Host: localhost",
    upgrade: "Upgrade: websocket",
    connection: "Connection: Upgrade",
    key: "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    version: "Sec-WebSocket-Version: 13",
    protocol: "Sec-WebSocket-Protocol: xmpp",
    ...changes,
  };
  const present = Object.values(lines).filter((line) => line !== undefined);
  return `${present.join("\r\n")}\r\n\r\n`;
}

export class RawWebSocket {
  readonly socket: Socket;
  /** All that came after the handshake, one char a byte. */
  received = "";
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("data", (bytes: Buffer) => (this.received += bytes.toString("latin1")));
    socket.on("error", () => undefined);
  }

  static async connect(port: number): Promise<RawWebSocket> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const raw = new RawWebSocket(socket);
    socket.write(upgradeRequest());
    await raw.receives("\r\n\r\n");
    raw.received = raw.received.slice(raw.received.indexOf("\r\n\r\n") + 4);
    return raw;
  }

  send(...frames: readonly Buffer[]): void {
    for (const each of frames) this.socket.write(each);
  }

  /** Until this text has come; an error if the connection ends before. */
  async receives(text: string): Promise<void> {
    while (!this.received.includes(text)) {
      const ended = this.closed.then(() => "ended");
      if ((await Promise.race([once(this.socket, "data"), ended])) !== "ended") continue;
      if (!this.received.includes(text)) throw new Error(`ended after ${this.received}`);
    }
  }

  /** The code of the close frame that came, the last frame of all; undefined: none came. */
  get closeCode(): number | undefined {
    const at = this.received.lastIndexOf("\x88\x02");
    const code = Buffer.from(this.received.slice(at + 2, at + 4), "latin1");
    return at < 0 || code.length < 2 ? undefined : code.readUInt16BE();
  }
}

/**
 * Simulated network: byte streams between clients and nodes and among nodes, and all that can happen to
 * them.
 *
 * A node sees `Network` and `NetworkInput`, exactly as from real sockets; a client sees `Wire`. What lies
 * between the two ends is a connection (connection.ts) over the fabric (fabric.ts). TLS is granted after
 * the round trips of a handshake without cryptography, once both sides have asked; bytes in the clear
 * that reach a node waiting for a handshake break it, and so does a certificate of another host than the
 * client meant, as they do in reality.
 *
 * What it does not do: packets, congestion control, routing.
 */
import { binaryFromBytes, type BinaryString } from "../../src/base/bytes.ts";
import type {
  ConnectionId,
  DialId,
  Network,
  NetworkInput,
  TlsInfo,
} from "../../src/ports/network.ts";
import type { Draws } from "./random.ts";
import type { World } from "./world.ts";
import { Connection, type ConnectionParts, type End, type EndParts } from "./connection.ts";
import { messageFrame, Messages, pingFrame } from "./messages.ts";
import { Fabric } from "./fabric.ts";

export { closeGraceMs, congestionMarkBytes } from "./connection.ts";

/** Machines that stand next to each other give a connection more room than a phone does. */
const linkWindowBytes = 65_536;

/** A client's host that died is back after so long, and refuses what it no longer knows. */
const rebootMs = 10_000;

/** A client's end of a connection. */
export interface Wire {
  readonly connection: ConnectionId;
  /** For a websocket: one message. */
  write(data: BinaryString): void;
  /** A sign of life; over a websocket it is none of its messages. */
  ping(): void;
  startTls(): void;
  /** Sends what was written, then closes. */
  close(): void;
  /** Closes at once and tells the peer (RST). */
  reset(): void;
  /** Is gone without a word; the peer hears nothing. */
  vanish(): void;
  setReading(reading: boolean): void;
  /** What this end has written and its kernel has not taken yet. */
  unsentBytes(): number;
}

export interface WireEvents {
  opened(): void;
  received(bytes: Uint8Array): void;
  secured(tls: TlsInfo): void;
  /** Told once; not after this end's own `reset` or `vanish`. */
  closed(reason: string): void;
}

export interface ConnectRequest {
  /** Name of one login, e.g. `alice#2`; the part before `#` is the client that faults aim at. */
  readonly login: string;
  readonly node: string;
  readonly listener: string;
  readonly remote: string;
  readonly serverName: string;
  readonly tlsFirst: boolean;
  /** Missing: a stream of bytes. */
  readonly framing?: "websocket" | undefined;
  readonly events: WireEvents;
}

export interface NodePortOptions {
  readonly deliver: (input: NetworkInput, login: string) => void;
  /** What a turn wrote to one connection, as it leaves. */
  readonly onSent: (connection: ConnectionId, data: BinaryString) => void;
  /** Where other nodes reach it, `host:port`. */
  readonly address?: string;
}

export interface SimulatedNetworkOptions {
  readonly world: World;
  readonly draws: Draws;
  readonly pipe: ConnectionParts["pipe"];
}

interface AcceptOptions {
  readonly login: string;
  readonly listener: string;
  readonly remote: string;
  readonly framing?: "websocket" | undefined;
}

export class SimulatedNetwork {
  /** Cuts, delays and hosts without power. */
  readonly fabric: Fabric;
  readonly #options: SimulatedNetworkOptions;
  readonly #nodes = new Map<string, NodePort>();
  readonly #connections = new Set<Connection>();
  /** By host at either end. */
  readonly #ofHost = new Map<string, Set<Connection>>();
  readonly #dials = new Map<string, number>();
  /** By what others dial them by. */
  readonly #hosts = new Map<string, string>();
  #lastConnection = 0;

  constructor(options: SimulatedNetworkOptions) {
    this.#options = options;
    this.fabric = new Fabric(() => {
      for (const connection of [...this.#connections]) connection.refresh();
    });
  }

  /** A machine that can be reached, whether or not anything runs on it; by its name, if by no address. */
  addHost(host: string, address?: string): void {
    this.#hosts.set(hostOf(address ?? "") ?? host, host);
  }

  /** A node's process starts to listen; the port is what its loop calls. */
  attach(node: string, options: NodePortOptions): NodePort {
    const port = new NodePort(options, (from, dial, address) =>
      this.#dial(node, from, dial, address),
    );
    this.#nodes.set(node, port);
    this.addHost(node, options.address);
    return port;
  }

  /** A node's process has ended: its kernel resets every connection and refuses new ones. */
  detach(node: string): void {
    const port = this.#nodes.get(node);
    this.#nodes.delete(node);
    port?.end((end) => end.reset());
  }

  /** A node's process has ended in order: its kernel sends what was written, then closes. */
  leave(node: string): void {
    const port = this.#nodes.get(node);
    this.#nodes.delete(node);
    port?.end((end) => end.close("reset"));
  }

  /** A node's host has died: nobody hears of it, nobody is answered until it is back. */
  powerOff(node: string): void {
    const port = this.#nodes.get(node);
    this.#nodes.delete(node);
    this.fabric.setDown(node, true);
    port?.end((end) => end.vanish());
  }

  powerOn(node: string): void {
    this.fabric.setDown(node, false);
  }

  connect(request: ConnectRequest): Wire {
    const id = ++this.#lastConnection;
    const { login, node, listener, remote, framing, events } = request;
    const connection = this.#make({
      random: this.#options.draws(`network/${login}`),
      tlsFirst: request.tlsFirst,
      serverName: request.serverName,
      from: {
        id,
        host: clientOf(login),
        events: {
          opened: () => {
            events.opened();
            if (request.tlsFirst) events.secured(connection.tls);
          },
          received: framed(framing, (bytes) => events.received(bytes)),
          secured: (tls) => events.secured(tls),
          congested: () => undefined,
          drained: () => undefined,
          closed: (reason) => events.closed(reason),
          refused: (_refused, reason) => events.closed(reason),
        },
      },
      toHost: node,
      accept: () => {
        const tls = request.tlsFirst ? connection.tls : undefined;
        return this.#nodes.get(node)?.accept(node, id, { login, listener, remote, framing }, tls);
      },
    });
    return wireOf(connection, id, framing === "websocket");
  }

  /** Resets the connections of a client, as a router that lost its state does. */
  reset(client: string): number {
    return this.#each(client, (connection) => connection.break());
  }

  /** Resets the connections between two hosts. */
  resetBetween(one: string, other: string): number {
    return this.#each(one, (connection) => connection.break(), other);
  }

  /** The same, but only the first is told: to the other they fall silent. */
  resetAt(one: string, other: string): number {
    return this.#each(one, (connection) => connection.breakAt(one), other);
  }

  /** Silence in both directions, no RST; also for connections that are already half gone. */
  silence(client: string): number {
    return this.#each(client, (connection) => connection.setSilent(true));
  }

  /** Ends all silence: living peers go on, vanished ones answer the next byte with RST. */
  unsilence(client: string): void {
    this.#each(client, (connection) => connection.setSilent(false));
  }

  /** Silence on the connections that stand now between two hosts; new ones are not touched. */
  silenceBetween(one: string, other: string, silent: boolean): number {
    return this.#each(one, (connection) => connection.setSilent(silent), other);
  }

  /** The network's part of all trouble is over. */
  heal(): void {
    this.fabric.heal();
    for (const connection of [...this.#connections]) connection.setSilent(false);
  }

  /** Of this host; with another: those between the two. */
  #each(host: string, act: (connection: Connection) => void, other?: string): number {
    const all = [...(this.#ofHost.get(host) ?? [])];
    const hit = other === undefined ? all : all.filter((each) => each.between(host, other));
    for (const connection of hit) act(connection);
    return hit.length;
  }

  #make(
    parts: Omit<ConnectionParts, "world" | "fabric" | "pipe" | "onGone"> & {
      readonly pipe?: ConnectionParts["pipe"];
    },
  ): Connection {
    const { world, pipe } = this.#options;
    const connection: Connection = new Connection({
      pipe,
      ...parts,
      world,
      fabric: this.fabric,
      onGone: () => {
        this.#connections.delete(connection);
        for (const { host } of ends) this.#ofHost.get(host)?.delete(connection);
      },
    });
    const ends = [connection.from, connection.to];
    this.#connections.add(connection);
    for (const { host } of ends) {
      const others = this.#ofHost.get(host);
      if (others === undefined) this.#ofHost.set(host, new Set([connection]));
      else others.add(connection);
    }
    connection.open();
    return connection;
  }

  #dial(node: string, from: NodePort, dial: DialId, address: string): void {
    const host = this.#hosts.get(hostOf(address) ?? "");
    if (host === undefined) {
      const reason = `no host has the address "${address}"`;
      this.#options.world.after(0, () => from.failDial(dial, reason));
      return;
    }
    const path = `${node}>${host}`;
    const count = (this.#dials.get(path) ?? 0) + 1;
    this.#dials.set(path, count);
    const own = ++this.#lastConnection;
    const theirs = ++this.#lastConnection;
    const { pipe } = this.#options;
    this.#make({
      pipe: { ...pipe, windowBytes: Math.max(pipe.windowBytes, linkWindowBytes) },
      random: this.#options.draws(`network/${path}#${count}`),
      tlsFirst: false,
      serverName: undefined,
      from: from.dialling(node, own, dial, { login: host, listener: "cluster", remote: host }),
      toHost: host,
      accept: () => {
        const port = this.#nodes.get(host);
        if (port?.address !== address) return undefined;
        return port.accept(host, theirs, { login: node, listener: "cluster", remote: node });
      },
    });
  }
}

/** Undefined for what is no `host:port`. */
function hostOf(address: string): string | undefined {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(address) ?? [];
  return Number(port) > 0 && Number(port) < 65_536 ? host : undefined;
}

export function clientOf(login: string): string {
  const end = login.indexOf("#");
  return end === -1 ? login : login.slice(0, end);
}

/** What takes bytes as they come, or, for a websocket, whole messages. */
function framed(
  framing: "websocket" | undefined,
  take: (bytes: Uint8Array) => void,
): (bytes: Uint8Array) => void {
  if (framing === undefined) return take;
  const messages = new Messages();
  return (bytes) => {
    for (const message of messages.read(bytes)) take(message);
  };
}

function wireOf(connection: Connection, id: ConnectionId, inMessages: boolean): Wire {
  const end = connection.from;
  return {
    connection: id,
    write: (data) => end.write(inMessages ? messageFrame(data) : data),
    ping: () => end.write(inMessages ? pingFrame : " "),
    startTls: () => end.startTls(),
    close: () => (end.state === "open" ? end.close("gave up") : end.reset()),
    reset: () => end.reset(),
    vanish: () => {
      if (end.state === "closed" || end.state === "vanished") return;
      connection.setSilent(true);
      end.vanish();
      connection.parts.world.after(rebootMs, () => connection.setSilent(false));
    },
    setReading: (reading) => end.setReading(reading),
    unsentBytes: () => end.unsentBytes(),
  };
}

type Dial = (from: NodePort, dial: DialId, address: string) => void;

/** One process's view: writes gather until `flush`, which the node calls at the end of its turn. */
export class NodePort implements Network {
  readonly address: string | undefined;
  readonly #options: NodePortOptions;
  readonly #dial: Dial;
  readonly #ends = new Map<ConnectionId, End>();
  readonly #dirty = new Map<ConnectionId, BinaryString>();
  /** What leaves of that by a websocket. */
  readonly #frames = new Map<ConnectionId, BinaryString>();
  #ended = false;
  #reads = true;

  constructor(options: NodePortOptions, dial: Dial) {
    this.#options = options;
    this.#dial = dial;
    this.address = options.address;
  }

  write(connection: ConnectionId, data: BinaryString): void {
    this.#dirty.set(connection, (this.#dirty.get(connection) ?? "") + data);
    const frames = this.#frames.get(connection);
    if (frames !== undefined) this.#frames.set(connection, frames + messageFrame(data));
  }

  /** Is it a websocket? */
  inMessages(connection: ConnectionId): boolean {
    return this.#frames.has(connection);
  }

  ping(connection: ConnectionId): void {
    const frames = this.#frames.get(connection);
    if (frames === undefined) return;
    this.#dirty.set(connection, this.#dirty.get(connection) ?? "");
    this.#frames.set(connection, frames + pingFrame);
  }

  dial(dial: DialId, address: string): void {
    this.#dial(this, dial, address);
  }

  startTls(connection: ConnectionId, host: string): void {
    this.#flush(connection);
    this.#ends.get(connection)?.startTls(host);
  }

  pauseReading(connection: ConnectionId): void {
    this.#ends.get(connection)?.setReading(false);
  }

  resumeReading(connection: ConnectionId): void {
    this.#ends.get(connection)?.setReading(true);
  }

  close(connection: ConnectionId): void {
    this.#flush(connection);
    this.#ends.get(connection)?.close("reset");
  }

  /** The end of a turn: sends what was written, in the order of first writes. */
  flush(): void {
    for (const id of this.#dirty.keys()) this.#flush(id);
  }

  /** The process stands still: what arrives stays with its kernel. */
  setProcessReads(reads: boolean): void {
    if (this.#reads === reads) return;
    this.#reads = reads;
    for (const end of this.#ends.values()) end.setProcessReads(reads);
  }

  /** The process is gone; what happens to each end is the kernel's or the power's doing. */
  end(what: (end: End) => void): void {
    this.#ended = true;
    this.#dirty.clear();
    for (const end of this.#ends.values()) {
      // From here on the kernel takes what arrives, if only to refuse it.
      end.setReading(true);
      end.setProcessReads(true);
      what(end);
    }
    this.#ends.clear();
  }

  /** A connection of somebody else; undefined where nobody listens any more. */
  accept(
    host: string,
    id: ConnectionId,
    options: AcceptOptions,
    tls?: TlsInfo,
  ): EndParts | undefined {
    return this.#ended ? undefined : this.#parts(host, id, options, undefined, tls);
  }

  failDial(dial: DialId, reason: string): void {
    if (this.#ended) return;
    this.#options.deliver({ type: "dial-failed", dial, refused: false, reason }, "");
  }

  /** This node's own end of a connection that it opens. */
  dialling(host: string, id: ConnectionId, dial: DialId, options: AcceptOptions): EndParts {
    return this.#parts(host, id, options, dial, undefined);
  }

  #parts(
    host: string,
    connection: ConnectionId,
    { login, listener, remote, framing }: AcceptOptions,
    dial: DialId | undefined,
    tls: TlsInfo | undefined,
  ): EndParts {
    const tell = (input: NetworkInput): void => {
      if (!this.#ended) this.#options.deliver(input, login);
    };
    const events: EndParts["events"] = {
      opened: (end) => {
        if (this.#ended) return end.reset(); // it died while it dialled
        this.#ends.set(connection, end);
        if (framing !== undefined) this.#frames.set(connection, "");
        if (!this.#reads) end.setProcessReads(false);
        tell({
          type: "connection-opened",
          connection,
          listener,
          remote,
          framing: framing ?? "tcp",
          ...(dial === undefined ? {} : { dial }),
          ...(tls === undefined ? {} : { tls }),
        });
      },
      received: framed(framing, (bytes) => tell({ type: "bytes-received", connection, bytes })),
      secured: (info) => tell({ type: "tls-established", connection, tls: info }),
      congested: () => tell({ type: "connection-congested", connection }),
      drained: () => tell({ type: "connection-drained", connection }),
      closed: (reason) => {
        this.#ends.delete(connection);
        this.#frames.delete(connection);
        tell({ type: "connection-closed", connection, reason });
      },
      refused: (refused, reason) => {
        if (dial !== undefined) tell({ type: "dial-failed", dial, refused, reason });
      },
    };
    return { id: connection, host, events };
  }

  #flush(id: ConnectionId): void {
    const data = this.#dirty.get(id);
    if (data === undefined) return;
    this.#dirty.delete(id);
    this.#options.onSent(id, data);
    const frames = this.#frames.get(id);
    if (frames !== undefined) this.#frames.set(id, "");
    this.#ends.get(id)?.write(frames ?? data);
  }
}

/** For traces: the first bytes of what was received, readable. */
export function preview(bytes: Uint8Array, count = 80): string {
  return binaryFromBytes(bytes, 0, Math.min(count, bytes.length));
}

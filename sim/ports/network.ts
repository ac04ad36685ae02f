/**
 * Simulated network: byte streams between clients and nodes, and all that can happen to them.
 *
 * A node sees `Network` and `NetworkInput`, exactly as from real sockets; a client sees `Wire`. Both
 * ends of a connection are two pipes and a little state. TLS is granted after the round trips of a
 * handshake without cryptography, once both sides have asked; bytes in the clear that reach a node
 * waiting for a handshake break it, as they do in reality.
 *
 * What it does not do: packets, congestion control, routing between nodes.
 */
import { binaryFromBytes, bytesFromBinary, type BinaryString } from "../../src/base/bytes.ts";
import type {
  ConnectionId,
  DialId,
  Network,
  NetworkInput,
  TlsInfo,
} from "../../src/ports/network.ts";
import { stream, type Random } from "../random.ts";
import type { World } from "../world.ts";
import { Pipe, type PipeOptions, type Segment } from "./pipe.ts";

/** The real network's: more than this unsent is congestion (told once, until drained). */
export const congestionMarkBytes = 65_536;
/** As the real network: how long `close` waits for a peer that does not take the rest. */
export const closeGraceMs = 5_000;

/** A client's end of a connection. */
export interface Wire {
  readonly connection: ConnectionId;
  write(data: BinaryString): void;
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
  readonly events: WireEvents;
}

export interface NodePortOptions {
  readonly deliver: (input: NetworkInput, login: string) => void;
  /** What a turn wrote to one connection, as it leaves. */
  readonly onSent: (connection: ConnectionId, data: BinaryString) => void;
}

export interface SimulatedNetworkOptions {
  readonly world: World;
  readonly seed: number;
  readonly pipe: PipeOptions & { readonly congestionMarkBytes?: number };
}

export class SimulatedNetwork {
  readonly #options: SimulatedNetworkOptions;
  readonly #nodes = new Map<string, NodePort>();
  readonly #connections = new Map<ConnectionId, Connection>();
  readonly #extraLatency = new Map<string, number>();
  #lastConnection = 0;

  constructor(options: SimulatedNetworkOptions) {
    this.#options = options;
  }

  /** A node starts to listen; the port is what its loop calls. */
  attach(node: string, options: NodePortOptions): NodePort {
    const port = new NodePort(this.#connections, options);
    this.#nodes.set(node, port);
    return port;
  }

  /** A node's process has ended: its kernel resets every connection and refuses new ones. */
  detach(node: string): void {
    this.#nodes.delete(node);
    for (const connection of this.#all()) if (connection.node === node) connection.crash();
  }

  connect(request: ConnectRequest): Wire {
    const id = ++this.#lastConnection;
    const client = clientOf(request.login);
    const connection = new Connection({
      id,
      request,
      world: this.#options.world,
      random: stream(this.#options.seed, `network/${request.login}`),
      pipe: this.#options.pipe,
      extraLatency: () => this.#extraLatency.get(client) ?? 0,
      port: () => this.#nodes.get(request.node),
      onGone: () => this.#connections.delete(id),
    });
    this.#connections.set(id, connection);
    connection.open();
    return connection;
  }

  /** Resets the connections of a client, as a router that lost its state does. */
  reset(client: string): number {
    const hit = this.#of(client);
    for (const connection of hit) connection.breakBoth();
    return hit.length;
  }

  /** Silence in both directions, no RST; also for connections that are already half gone. */
  silence(client: string): number {
    const hit = this.#of(client);
    for (const connection of hit) connection.setSilent(true);
    return hit.length;
  }

  /** Ends all silence: living peers go on, vanished ones answer the next byte with RST. */
  unsilence(client: string): void {
    for (const connection of this.#of(client)) connection.setSilent(false);
  }

  setExtraLatency(client: string, milliseconds: number): void {
    if (milliseconds === 0) this.#extraLatency.delete(client);
    else this.#extraLatency.set(client, milliseconds);
  }

  #all(): Connection[] {
    return [...this.#connections.values()];
  }

  #of(client: string): Connection[] {
    return this.#all().filter((connection) => clientOf(connection.login) === client);
  }
}

export function clientOf(login: string): string {
  const end = login.indexOf("#");
  return end === -1 ? login : login.slice(0, end);
}

/** The node's view: writes gather until `flush`, which the node calls at the end of its turn. */
export class NodePort implements Network {
  readonly #connections: ReadonlyMap<ConnectionId, Connection>;
  readonly #options: NodePortOptions;
  readonly #dirty = new Map<ConnectionId, BinaryString>();

  constructor(connections: ReadonlyMap<ConnectionId, Connection>, options: NodePortOptions) {
    this.#connections = connections;
    this.#options = options;
  }

  write(connection: ConnectionId, data: BinaryString): void {
    this.#dirty.set(connection, (this.#dirty.get(connection) ?? "") + data);
  }

  dial(dial: DialId, address: string): void {
    this.#options.deliver(
      { type: "dial-failed", dial, refused: true, reason: `nobody listens on ${address}` },
      "",
    );
  }

  startTls(connection: ConnectionId, _host: string): void {
    this.#flush(connection);
    this.#connections.get(connection)?.acceptTls();
  }

  pauseReading(connection: ConnectionId): void {
    this.#connections.get(connection)?.setNodeReading(false);
  }

  resumeReading(connection: ConnectionId): void {
    this.#connections.get(connection)?.setNodeReading(true);
  }

  close(connection: ConnectionId): void {
    this.#flush(connection);
    this.#connections.get(connection)?.closeByNode();
  }

  /** The end of a turn: sends what was written, in the order of first writes. */
  flush(): void {
    for (const id of this.#dirty.keys()) this.#flush(id);
  }

  #flush(id: ConnectionId): void {
    const data = this.#dirty.get(id);
    if (data === undefined) return;
    this.#dirty.delete(id);
    this.#options.onSent(id, data);
    this.#connections.get(id)?.writeByNode(data);
  }

  tell(input: NetworkInput, login: string): void {
    this.#options.deliver(input, login);
  }
}

interface ConnectionParts {
  readonly id: ConnectionId;
  readonly request: ConnectRequest;
  readonly world: World;
  readonly random: Random;
  readonly pipe: SimulatedNetworkOptions["pipe"];
  readonly extraLatency: () => number;
  readonly port: () => NodePort | undefined;
  readonly onGone: () => void;
}

/** Both ends of one connection. The node's end and the client's end close each on its own. */
class Connection implements Wire {
  readonly connection: ConnectionId;
  readonly login: string;
  readonly node: string;
  readonly #parts: ConnectionParts;
  readonly #events: WireEvents;
  readonly #toNode: Pipe;
  readonly #toClient: Pipe;
  readonly #tls: TlsInfo;
  #nodeEnd: "connecting" | "open" | "closing" | "closed" = "connecting";
  #clientEnd: "connecting" | "open" | "closing" | "closed" | "vanished" = "connecting";
  #nodeTls: "clear" | "asked" | "secured" = "clear";
  #clientTls: "clear" | "asked" | "secured" = "clear";
  #heldByClient: BinaryString = "";
  #congested = false;
  #silent = false;

  constructor(parts: ConnectionParts) {
    this.connection = parts.id;
    this.login = parts.request.login;
    this.node = parts.request.node;
    this.#parts = parts;
    this.#events = parts.request.events;
    const { world, random, pipe: options, extraLatency } = parts;
    const shared = { world, random, options, extraLatency };
    this.#toNode = new Pipe({
      ...shared,
      receive: (segment) => this.#arriveAtNode(segment),
      onSent: () => undefined,
    });
    this.#toClient = new Pipe({
      ...shared,
      receive: (segment) => this.#arriveAtClient(segment),
      onSent: () => this.#relieve(),
    });
    this.#tls = {
      protocol: "TLSv1.3",
      cipher: "TLS_AES_256_GCM_SHA384",
      serverName: parts.request.serverName,
      bindings: { "tls-exporter": random.bytes(32) },
    };
  }

  /** One trip for the SYN, one back; a node that does not listen answers with RST. */
  open(): void {
    const { world, pipe, random, extraLatency, request } = this.#parts;
    const trip = (): number => random.between(...pipe.latencyMs) + extraLatency();
    world.after(trip(), () => {
      const port = this.#parts.port();
      if (this.#clientEnd !== "connecting") return this.#forget();
      if (port === undefined) {
        this.#nodeEnd = "closed";
        return world.after(trip(), () => this.#loseClient("refused"));
      }
      this.#nodeEnd = "open";
      if (request.tlsFirst) {
        this.#nodeTls = "secured";
        this.#clientTls = "secured";
      }
      this.#tell({
        type: "connection-opened",
        connection: this.connection,
        listener: request.listener,
        remote: request.remote,
        framing: "tcp",
        ...(request.tlsFirst ? { tls: this.#tls } : {}),
      });
      world.after(trip(), () => {
        if (this.#clientEnd !== "connecting") return;
        this.#clientEnd = "open";
        this.#events.opened();
        if (request.tlsFirst) this.#events.secured(this.#tls);
      });
    });
  }

  // The client's end.

  write(data: BinaryString): void {
    if (this.#clientEnd !== "open") return;
    if (this.#clientTls === "asked") this.#heldByClient += data;
    else this.#toNode.send({ type: "bytes", data, secured: this.#clientTls === "secured" });
  }

  startTls(): void {
    if (this.#clientEnd !== "open" || this.#clientTls !== "clear") return;
    this.#clientTls = "asked";
    this.#toNode.send({ type: "client-hello" });
  }

  close(): void {
    if (this.#clientEnd !== "open") return this.reset();
    this.#clientEnd = "closing";
    this.#toNode.send({ type: "fin" });
    this.#parts.world.after(closeGraceMs, () => {
      if (this.#clientEnd === "closing") this.#loseClient("gave up");
    });
  }

  reset(): void {
    if (this.#clientEnd === "closed" || this.#clientEnd === "vanished") return;
    if (this.#silent) return this.vanish(); // the RST is lost
    this.#clientEnd = "closed";
    this.#toClient.cut();
    const { random, pipe } = this.#parts;
    this.#parts.world.after(random.between(...pipe.latencyMs), () => this.#loseNode("reset"));
  }

  vanish(): void {
    if (this.#clientEnd === "closed" || this.#clientEnd === "vanished") return;
    this.#clientEnd = "vanished";
    this.setSilent(true);
  }

  setReading(reading: boolean): void {
    this.#toClient.setReading(reading);
  }

  unsentBytes(): number {
    return this.#toNode.unsentBytes() + this.#heldByClient.length;
  }

  // The node's end.

  writeByNode(data: BinaryString): void {
    if (this.#nodeEnd !== "open") return;
    this.#toClient.send({ type: "bytes", data, secured: this.#nodeTls !== "clear" });
    const mark = this.#parts.pipe.congestionMarkBytes ?? congestionMarkBytes;
    if (this.#congested || this.#toClient.unsentBytes() <= mark) return;
    this.#congested = true;
    this.#tell({ type: "connection-congested", connection: this.connection });
  }

  acceptTls(): void {
    if (this.#nodeEnd === "open" && this.#nodeTls === "clear") this.#nodeTls = "asked";
  }

  setNodeReading(reading: boolean): void {
    this.#toNode.setReading(reading);
  }

  closeByNode(): void {
    if (this.#nodeEnd !== "open") return;
    this.#nodeEnd = "closing";
    this.#toNode.setReading(true);
    this.#toClient.send({ type: "fin" });
    this.#parts.world.after(closeGraceMs, () => {
      if (this.#nodeEnd === "closing") this.breakBoth();
    });
  }

  // The world's doing.

  breakBoth(): void {
    this.#toNode.cut();
    this.#toClient.cut();
    this.#loseNode("reset");
    this.#loseClient("reset");
  }

  crash(): void {
    this.#nodeEnd = "closed";
    this.#toNode.cut();
    this.#toClient.cut();
    const { random, pipe } = this.#parts;
    this.#parts.world.after(random.between(...pipe.latencyMs), () => this.#loseClient("reset"));
  }

  setSilent(silent: boolean): void {
    this.#silent = silent;
    this.#toNode.setSilent(silent);
    this.#toClient.setSilent(silent);
  }

  #arriveAtNode(segment: Segment): void {
    if (this.#nodeEnd === "closed") return;
    switch (segment.type) {
      case "bytes":
        if (this.#nodeEnd === "closing") return;
        if (this.#nodeTls !== "clear" && !segment.secured) return this.breakBoth();
        return this.#tell({
          type: "bytes-received",
          connection: this.connection,
          bytes: bytesFromBinary(segment.data),
        });
      case "fin":
        this.#toClient.send({ type: "fin" });
        return this.#loseNode("ended");
      case "client-hello":
        if (this.#nodeTls === "asked") return this.#toClient.send({ type: "server-hello" });
        return this.#tell({
          type: "bytes-received",
          connection: this.connection,
          bytes: bytesFromBinary("\x16\x03\x01\x02\x00\x01\x00"),
        });
      case "tls-finished":
        this.#nodeTls = "secured";
        return this.#tell({
          type: "tls-established",
          connection: this.connection,
          tls: this.#tls,
        });
      case "server-hello":
        return;
    }
  }

  #arriveAtClient(segment: Segment): void {
    if (this.#clientEnd === "vanished") return this.#loseNode("reset");
    if (this.#clientEnd === "closed") return;
    switch (segment.type) {
      case "bytes":
        if (this.#clientEnd === "open") this.#events.received(bytesFromBinary(segment.data));
        return;
      case "fin":
        if (this.#clientEnd === "open") this.#toNode.send({ type: "fin" });
        return this.#loseClient("ended");
      case "server-hello": {
        this.#clientTls = "secured";
        this.#toNode.send({ type: "tls-finished" });
        const held = this.#heldByClient;
        this.#heldByClient = "";
        this.#events.secured(this.#tls);
        if (held !== "") this.write(held);
        return;
      }
      case "client-hello":
      case "tls-finished":
        return;
    }
  }

  #relieve(): void {
    if (!this.#congested || this.#toClient.unsentBytes() > 0 || this.#nodeEnd !== "open") return;
    this.#congested = false;
    this.#parts.world.after(0, () => {
      if (this.#nodeEnd === "open") {
        this.#tell({ type: "connection-drained", connection: this.connection });
      }
    });
  }

  #loseNode(reason: string): void {
    if (this.#nodeEnd === "closed") return;
    const told = this.#nodeEnd !== "connecting";
    this.#nodeEnd = "closed";
    this.#toNode.cut();
    if (told) this.#tell({ type: "connection-closed", connection: this.connection, reason });
    this.#forget();
  }

  #loseClient(reason: string): void {
    if (this.#clientEnd === "closed" || this.#clientEnd === "vanished") return;
    this.#clientEnd = "closed";
    this.#toClient.cut();
    this.#events.closed(reason);
    this.#forget();
  }

  #forget(): void {
    const clientGone = this.#clientEnd === "closed" || this.#clientEnd === "vanished";
    if (this.#nodeEnd === "closed" && clientGone) this.#parts.onGone();
  }

  #tell(input: NetworkInput): void {
    this.#parts.port()?.tell(input, this.login);
  }
}

/** For traces: the first bytes of what was received, readable. */
export function preview(bytes: Uint8Array, count = 80): string {
  return binaryFromBytes(bytes, 0, Math.min(count, bytes.length));
}

/**
 * Small cluster: several `server()`s in one process, on a network that delivers in a millisecond and can
 * be cut, with a clock that moves only by `run`. Everybody's password is `secret`.
 */
import {
  bytesFromBinary,
  bytesFromText,
  textFromBinary,
  textFromBytes,
  toBase64,
} from "../../src/base/bytes.ts";
import type { Instant } from "../../src/base/time.ts";
import type { ClusterEffect } from "../../src/cluster/cluster.ts";
import type { Peer } from "../../src/cluster/peer.ts";
import type { ConnectionId } from "../../src/ports/network.ts";
import { sessionTable } from "../../src/router/session-record.ts";
import type { SessionState } from "../../src/router/session.ts";
import { clusterDefaults, type Config } from "../../src/server/config.ts";
import type { WorldInput } from "../../src/server/effects.ts";
import type { Recorder } from "../../src/server/recorder.ts";
import { server, type Server } from "../../src/server/server.ts";
import { header, keysOfSecret, pureCrypto, smallConfig } from "./small-node.ts";

/** Bytes take this long from node to node. */
const latency = 1;

export interface ClusterNodeOptions {
  readonly sessions?: Partial<Config["sessions"]>;
  /** Milliseconds by which its wall clock is ahead. */
  readonly clockAhead?: number;
  readonly onFault?: "contain" | "throw";
  /** Nodes are discovered in a database that does not answer. */
  readonly databaseDown?: boolean;
  readonly recorded?: (config: Config) => Recorder;
}

interface End {
  readonly node: ClusterNode;
  readonly connection: ConnectionId;
}

interface Arrival {
  readonly at: Instant;
  readonly node: ClusterNode;
  readonly input: WorldInput;
}

const wallOrigin = 1_700_000_000_000;

export class SmallCluster {
  readonly nodes = new Map<string, ClusterNode>();
  readonly #names: readonly string[];
  now: Instant = 1_000;
  #queue: Arrival[] = [];
  readonly #cuts = new Set<string>();
  readonly #held: (() => void)[] = [];

  /** All are told of all; each starts when `start` says so. */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** Starts nodes and gives them time to see each other. */
  static of(names: readonly string[], options: ClusterNodeOptions = {}): SmallCluster {
    const cluster = new SmallCluster(names);
    for (const name of names) cluster.start(name, options);
    cluster.run(500);
    return cluster;
  }

  start(name: string, options: ClusterNodeOptions = {}): ClusterNode {
    const node = new ClusterNode(this, name, this.#names, options);
    this.nodes.set(name, node);
    return node;
  }

  node(name: string): ClusterNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new TypeError(`no node ${name}`);
    return node;
  }

  /** kill -9: connections are reset, dials refused. */
  kill(name: string): void {
    const node = this.node(name);
    this.nodes.delete(name);
    this.#queue = this.#queue.filter((arrival) => arrival.node !== node);
    for (const end of node.links.values()) end.node.closed(end.connection, "reset");
  }

  /** From now on nothing passes between these two, and nobody is told. What is sent waits, as TCP's does. */
  cut(a: string, b: string): void {
    this.cutOneWay(a, b);
    this.cutOneWay(b, a);
  }

  cutOneWay(from: string, to: string): void {
    this.#cuts.add(`${from} ${to}`);
  }

  heal(): void {
    this.#cuts.clear();
    for (const arrive of this.#held.splice(0)) arrive();
  }

  /** Now, or once the cut has healed. */
  pass(a: string, b: string, arrive: () => void): void {
    if (this.isCut(a, b)) this.#held.push(arrive);
    else arrive();
  }

  isCut(a: string, b: string): boolean {
    return this.#cuts.has(`${a} ${b}`);
  }

  /** Lets that much time pass. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.at > end) break;
      this.now = Math.max(this.now, next.at);
      if ("input" in next) {
        this.#queue.splice(this.#queue.indexOf(next), 1);
        next.node.deliver(next.input);
      } else next.node.deliver({ type: "deadline-reached" });
    }
    this.now = end;
  }

  enqueue(node: ClusterNode, input: WorldInput): void {
    if (this.nodes.get(node.name) !== node) return; // it has been killed
    this.#queue.push({ at: this.now + latency, node, input });
  }

  #next(): Arrival | { readonly at: Instant; readonly node: ClusterNode } | undefined {
    let next: Arrival | { at: Instant; node: ClusterNode } | undefined = this.#queue[0];
    for (const node of this.nodes.values()) {
      const at = node.server.loop.deadline();
      if (at !== undefined && (next === undefined || at < next.at)) next = { at, node };
    }
    return next;
  }
}

export class ClusterNode {
  readonly server: Server;
  readonly name: string;
  readonly links = new Map<ConnectionId, End>();
  readonly logged: string[] = [];
  readonly answers: { status: number; body: string }[] = [];
  /** Effects that its cluster seems to have at the end of the next step. */
  readonly pretended: ClusterEffect[] = [];
  peers: () => readonly Peer[] = () => [];
  /** Full JIDs of all sessions that it sees in the cluster, its own among them. */
  visible: () => readonly string[] = () => [];
  stopped = false;
  readonly #cluster: SmallCluster;
  readonly #clockAhead: number;
  readonly #written = new Map<ConnectionId, string>();
  readonly #closed = new Set<ConnectionId>();
  #connections = 0;
  #drawn = 0;

  constructor(
    cluster: SmallCluster,
    name: string,
    names: readonly string[],
    options: ClusterNodeOptions,
  ) {
    this.#cluster = cluster;
    this.name = name;
    this.#clockAhead = options.clockAhead ?? 0;
    const config = configOf(name, names, options);
    this.server = server({
      config,
      recorder: options.recorded?.(config),
      onStopped: () => void (this.stopped = true),
      onFault: options.onFault ?? "throw",
      onCluster: (_self, machine) => {
        const flush = machine.flush.bind(machine);
        machine.flush = (now) => [...this.pretended.splice(0), ...flush(now)];
        this.peers = () => machine.peers();
        const { name: table } = sessionTable;
        this.visible = () =>
          [...machine.table(table).entries()].map(({ key }) => textFromBinary(key)).toSorted();
      },
      ports: {
        network: {
          write: (connection, data) => this.#write(connection, data),
          dial: (dial, address) => this.#dial(dial, address),
          close: (connection) => this.#close(connection),
          ping: () => undefined,
          startTls: () => undefined,
          pauseReading: () => undefined,
          resumeReading: () => undefined,
        },
        database: {
          query: (request, queries) =>
            this.deliver(
              options.databaseDown === true
                ? { type: "query-failed", request, failure: "unavailable", detail: "refused" }
                : { type: "query-answered", request, results: queries.map(() => [keysOfSecret()]) },
            ),
        },
        http: {
          respond: (_request, status, _headers, body) => this.answers.push({ status, body }),
        },
        log: {
          write: (level, event, fields) =>
            this.logged.push(`${level} ${event} ${JSON.stringify(fields)}`),
        },
        crypto: {
          hash: (hash, data) => pureCrypto.hash(hash, data),
          hmac: (hash, key, data) => pureCrypto.hmac(hash, key, data),
          equal: (a, b) => pureCrypto.equal(a, b),
          deriveKey: (request) =>
            this.deliver({ type: "key-derived", request, key: keysOfSecret().derived }),
        },
        entropy: { bytes: (count) => this.#draw(count) },
      },
    });
  }

  deliver(input: WorldInput): void {
    const at = this.#cluster.now;
    this.server.loop.deliver({ at, wall: wallOrigin + at + this.#clockAhead }, input);
  }

  sessions(): readonly SessionState[] {
    return this.server.sessions();
  }

  metric(name: string): number {
    const found = this.server.metrics.filter((cell) => cell.name === name);
    return found.reduce((sum, { value }) => sum + value, 0);
  }

  get(path: string): { status: number; body: string } {
    const input = { type: "http-requested", request: 1, listener: "http", method: "GET" } as const;
    this.deliver({ ...input, path, host: "localhost" });
    const answer = this.answers.at(-1);
    if (answer === undefined) throw new TypeError(`no answer to ${path}`);
    return answer;
  }

  /** A client's connection on which `text` has been sent. */
  connect(text: string): ConnectionId {
    const connection = ++this.#connections;
    const opened = { listener: "c2s", remote: "127.0.0.1", framing: "tcp" } as const;
    this.deliver({ type: "connection-opened", connection, ...opened });
    this.send(connection, text);
    return connection;
  }

  send(connection: ConnectionId, text: string): void {
    this.deliver({ type: "bytes-received", connection, bytes: bytesFromText(text) });
  }

  /** A client that has asked for all up to its session; what was answered is still to be read. */
  login(user: string, resource: string, presence = "<presence/>"): ConnectionId {
    const plain = toBase64(bytesFromText(`\0${user}\0secret`));
    return this.connect(
      `${header}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>` +
        `${header}<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>` +
        `<resource>${resource}</resource></bind></iq>${presence}`,
    );
  }

  /** What a client was sent since this was last asked. */
  read(connection: ConnectionId): string {
    const binary = this.#written.get(connection) ?? "";
    this.#written.delete(connection);
    return textFromBytes(bytesFromBinary(binary));
  }

  isClosed(connection: ConnectionId): boolean {
    return this.#closed.has(connection);
  }

  /** The client goes without a word. */
  hangUp(connection: ConnectionId): void {
    this.deliver({ type: "connection-closed", connection, reason: "reset" });
  }

  /** A link's connection has been closed at its other end. */
  closed(connection: ConnectionId, reason: string): void {
    if (!this.links.delete(connection)) return;
    this.#cluster.enqueue(this, { type: "connection-closed", connection, reason });
  }

  received(connection: ConnectionId, bytes: Uint8Array): void {
    if (!this.links.has(connection)) return;
    this.#cluster.enqueue(this, { type: "bytes-received", connection, bytes });
  }

  opened(far: End, dial?: number): ConnectionId {
    const connection = ++this.#connections;
    this.links.set(connection, far);
    this.#cluster.enqueue(this, {
      ...{ type: "connection-opened", connection, listener: "cluster", remote: "127.0.0.1" },
      framing: "tcp",
      ...(dial === undefined ? {} : { dial }),
    });
    return connection;
  }

  #write(connection: ConnectionId, data: string): void {
    const far = this.links.get(connection);
    if (far === undefined) {
      this.#written.set(connection, (this.#written.get(connection) ?? "") + data);
      return;
    }
    const bytes = bytesFromBinary(data);
    this.#cluster.pass(this.name, far.node.name, () => far.node.received(far.connection, bytes));
  }

  #dial(dial: number, address: string): void {
    const far = this.#cluster.nodes.get(address);
    if (far === undefined || this.#cluster.isCut(this.name, address)) {
      const refused = far === undefined;
      this.#cluster.enqueue(this, { type: "dial-failed", dial, refused, reason: "not reachable" });
      return;
    }
    const end = { node: far, connection: 0 };
    const connection = this.opened(end, dial);
    end.connection = far.opened({ node: this, connection });
  }

  #close(connection: ConnectionId): void {
    this.#closed.add(connection);
    const far = this.links.get(connection);
    this.closed(connection, "closed");
    if (far === undefined) this.#cluster.enqueue(this, closedByUs(connection));
    else if (!this.#cluster.isCut(this.name, far.node.name))
      far.node.closed(far.connection, "ended");
  }

  /** Different for each node and each time. */
  #draw(count: number): Uint8Array {
    const seed = bytesFromText(`${this.name} ${this.#cluster.now} ${++this.#drawn}`);
    return pureCrypto.hash("sha-512", seed).subarray(0, count);
  }
}

function closedByUs(connection: ConnectionId): WorldInput {
  return { type: "connection-closed", connection, reason: "closed" };
}

function configOf(name: string, names: readonly string[], options: ClusterNodeOptions): Config {
  const http = { kind: "http", name: "http", port: 0, tls: undefined } as const;
  const rest = { websocket_path: "", health: true, metrics: true } as const;
  const [first] = smallConfig.listen;
  if (first === undefined) throw new TypeError("the small node listens");
  const address = { ip_address: "127.0.0.1", max_connections_per_address: 100 };
  const limits = { max_stanza_size: 65_536, c2s_state_timeout: 30_000, allow_plaintext: true };
  return {
    ...smallConfig,
    listen: [first, { ...http, ...rest, ...address, ...limits }],
    sessions: { ...smallConfig.sessions, ...options.sessions },
    cluster: {
      ...clusterDefaults,
      node_name: name,
      advertised_address: name,
      secret: "a secret that is long enough",
      backend: options.databaseDown === true ? "rdbms" : "static",
      nodes: names.map((each) => ({ name: each, address: each })),
      node_list_file: "",
      dns_name: "",
      listener: {
        name: "cluster",
        kind: "cluster",
        ip_address: "0.0.0.0",
        port: 1,
        tls: undefined,
      },
    },
  };
}

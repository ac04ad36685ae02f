/**
 * Network: the port of the same name over real sockets.
 *
 * Owns the listeners and the table of connections; what a connection is stands in `tcp-connection.ts`
 * and `websocket-connection.ts`. What a turn writes leaves once, when all sockets that were ready have
 * been read: a write per stanza costs twice as much with a hundred busy clients.
 */
import type { BinaryString } from "../base/bytes.ts";
import { second, type Duration } from "../base/time.ts";
import type { Http, HttpInput } from "../ports/http.ts";
import type { Log } from "../ports/log.ts";
import type { Counter } from "../ports/metrics.ts";
import type { ConnectionId, DialId, Network, NetworkInput } from "../ports/network.ts";
import type { ClusterListener, Listener } from "../server/config.ts";
import type { Connection, Surroundings } from "./connection.ts";
import { HttpRequests } from "./http.ts";
import { listenHttp } from "./http-listener.ts";
import type { OpenListener } from "./listener.ts";
import { renderMetrics } from "./metrics.ts";
import { dialTcp, type GiveUp } from "./tcp-dial.ts";
import { listenCluster, listenTcp } from "./tcp-listener.ts";
import { linkTls, TlsCertificates } from "./tls.ts";

export interface SocketNetworkOptions {
  readonly deliver: (input: NetworkInput | HttpInput) => void;
  readonly log: Log;
  /** Bytes; not below Node's own mark of 64 KiB, or `connection-drained` would be late. */
  readonly congestionMark?: number;
  readonly closeTimeout?: Duration;
  /** What `/metrics` shows beside the network's own cells and the process's. */
  readonly metrics?: () => Iterable<Counter>;
  /** On each of them. */
  readonly metricLabels?: Readonly<Record<string, string>>;
  /** What `/metrics` shows of a process among several, given its own. */
  readonly collectMetrics?: (own: string) => Promise<string>;
  /** How often certificate files are looked at for changes. */
  readonly certificatePollEvery?: Duration;
}

export class SocketNetwork implements Network {
  readonly #surroundings: Surroundings;
  readonly #connections = new Map<ConnectionId, Connection>();
  readonly #listeners: OpenListener[] = [];
  readonly #dials = new Set<GiveUp>();
  /** The one address that links use, if the listener has one: we dial from there, too. */
  #linkAddress: string | undefined;
  /** What we show to nodes that we dial; read again with the listener's. */
  #linkCertificates: TlsCertificates | undefined;
  readonly #requests: HttpRequests;
  readonly #options: SocketNetworkOptions;
  readonly #poll: NodeJS.Timeout;
  #dirty: Connection[] = [];
  #lastId = 0;
  /** Cells of the network's own, to be rendered with the core's. */
  readonly metrics: readonly Counter[];

  constructor(options: SocketNetworkOptions) {
    this.#options = options;
    const refused: Counter = {
      kind: "counter",
      name: "meerkat_connections_refused_total",
      help: "Connections closed at once since their address had too many.",
      labels: {},
      value: 0,
    };
    this.metrics = [refused];
    this.#surroundings = {
      log: options.log,
      congestionMark: options.congestionMark ?? 65_536,
      closeTimeout: options.closeTimeout ?? 5 * second,
      refused,
      deliver: options.deliver,
      nextId: () => ++this.#lastId,
      opened: (connection) => void this.#connections.set(connection.id, connection),
      closed: (connection) => void this.#connections.delete(connection.id),
      flushLater: (connection) => this.#flushLater(connection),
    };
    this.#requests = new HttpRequests(this.#surroundings);
    this.#poll = setInterval(
      () => this.#reload(this.#listeners.filter((listener) => listener.certificatesChanged())),
      options.certificatePollEvery ?? 60 * second,
    );
    this.#poll.unref();
  }

  /** The port that answers HTTP requests on this network's listeners. */
  get http(): Http {
    return this.#requests;
  }

  /** The text of our own metrics and the core's. */
  renderMetrics(): Promise<string> {
    const { metrics, metricLabels } = this.#options;
    return renderMetrics(() => [...(metrics?.() ?? []), ...this.metrics], metricLabels);
  }

  /** Opens a port; rejects with an Error of one line for a port in use, a bad address or certificate. */
  async listen(listener: Listener | ClusterListener): Promise<{ readonly port: number }> {
    const open = await this.#open(listener);
    this.#listeners.push(open);
    return { port: open.port };
  }

  async #open(listener: Listener | ClusterListener): Promise<OpenListener> {
    const surroundings = this.#surroundings;
    switch (listener.kind) {
      case "c2s":
        return listenTcp(listener, surroundings);
      case "http":
        return listenHttp({
          listener,
          surroundings,
          requests: this.#requests,
          metrics: () => this.#allMetrics(),
        });
      case "cluster":
        return this.#openCluster(listener);
    }
  }

  /** From here on we dial other nodes by the same certificates. */
  async #openCluster(listener: ClusterListener): Promise<OpenListener> {
    const { tls } = listener;
    const certificates = tls === undefined ? undefined : new TlsCertificates(linkTls(tls));
    const open = await listenCluster(listener, this.#surroundings);
    this.#linkCertificates = certificates;
    this.#linkAddress = listener.ip_address;
    return {
      ...open,
      reloadCertificates(): void {
        open.reloadCertificates();
        certificates?.reload();
      },
    };
  }

  /** Accepts no more connections; those that exist go on. */
  async stopListening(): Promise<void> {
    clearInterval(this.#poll);
    for (const listener of this.#listeners.splice(0)) listener.stop();
  }

  /** SIGHUP: new handshakes use what the files hold now. A bad file is logged, the old one stays. */
  reloadCertificates(): void {
    this.#reload(this.#listeners);
  }

  /** Closes all connections at once; `connection-closed` is told for each. */
  closeAll(): void {
    for (const giveUp of [...this.#dials]) giveUp("shut down");
    for (const connection of [...this.#connections.values()]) connection.destroy("shut down");
  }

  write(connection: ConnectionId, data: BinaryString): void {
    this.#connections.get(connection)?.write(data);
  }

  dial(dial: DialId, address: string): void {
    const giveUp = dialTcp({
      ...{ dial, address, tls: this.#linkCertificates, surroundings: this.#surroundings },
      from: this.#linkAddress,
      ended: () => void this.#dials.delete(giveUp),
    });
    this.#dials.add(giveUp);
  }

  startTls(connection: ConnectionId, host: string): void {
    this.#connections.get(connection)?.startTls(host);
  }

  ping(connection: ConnectionId): void {
    this.#connections.get(connection)?.ping();
  }

  pauseReading(connection: ConnectionId): void {
    this.#connections.get(connection)?.pauseReading();
  }

  resumeReading(connection: ConnectionId): void {
    this.#connections.get(connection)?.resumeReading();
  }

  close(connection: ConnectionId): void {
    this.#connections.get(connection)?.close();
  }

  async #allMetrics(): Promise<string> {
    const own = await this.renderMetrics();
    return (await this.#options.collectMetrics?.(own)) ?? own;
  }

  #flushLater(connection: Connection): void {
    if (this.#dirty.length === 0) setImmediate(this.#flush);
    this.#dirty.push(connection);
  }

  readonly #flush = (): void => {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty) connection.flush();
  };

  #reload(listeners: readonly OpenListener[]): void {
    for (const listener of listeners) {
      const { name } = listener;
      try {
        listener.reloadCertificates();
        this.#surroundings.log.write("info", "certificates-reloaded", { listener: name });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const fields = { listener: name, reason };
        this.#surroundings.log.write("error", "certificates-not-reloaded", fields);
      }
    }
  }
}

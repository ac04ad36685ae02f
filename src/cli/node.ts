/**
 * Node: `server()` on real ports.
 *
 * The same function that the simulator calls; here it is given sockets, PostgreSQL, timers and the
 * system's entropy. Starting is all or nothing: a `Failure` leaves nothing open.
 */
import type { LogFields } from "../ports/log.ts";
import { NodeCrypto } from "../runtime/crypto.ts";
import { SystemEntropy } from "../runtime/entropy.ts";
import { PinoLog } from "../runtime/log.ts";
import { SocketNetwork } from "../runtime/network.ts";
import { SystemResolver } from "../runtime/resolver.ts";
import { RealTime } from "../runtime/timers.ts";
import { linkTls, TlsCertificates } from "../runtime/tls.ts";
import type { Config } from "../server/config.ts";
import type { WorldInput } from "../server/effects.ts";
import { RecordingWriter } from "../server/recording.ts";
import { server } from "../server/server.ts";
import { openDatabase } from "./database.ts";
import { Failure, reasonOf } from "./failure.ts";
import { openRecording } from "./recording-file.ts";

export interface RunningNode {
  /** The port of each listener by its name, also where the system chose it. */
  readonly listening: ReadonlyMap<string, number>;
  /** Asks for a graceful shutdown: accepts no more, tells clients, drains. */
  stop(): void;
  /** Reads certificates again. */
  reload(): void;
  /** Its own, as `/metrics` shows them. */
  renderMetrics(): Promise<string>;
  /** Resolves when all has been closed. */
  readonly stopped: Promise<void>;
}

export interface NodeOptions {
  readonly config: Config;
  /** Where the flight recorder writes. */
  readonly record?: string | undefined;
  /** On every log line, and on every metric, of one node among several. */
  readonly logFields?: LogFields;
  readonly metricLabels?: Readonly<Record<string, string>>;
  /** What `/metrics` shows, given our own. */
  readonly collectMetrics?: (own: string) => Promise<string>;
}

export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { config, record, metricLabels, collectMetrics } = options;
  checkCertificates(config);
  const log = new PinoLog(config.general.loglevel, undefined, options.logFields);
  const clock: { time?: RealTime } = {}; // it needs the loop, the loop the ports, and they deliver through it
  const deliver = (input: WorldInput): void => clock.time?.deliver(input);
  const crypto = new NodeCrypto(deliver);
  const recording = record === undefined ? undefined : openRecording(record, log);
  // A node that finds the others by the database waits for it, not ready, and says so.
  const mayBeAway = config.cluster?.backend === "rdbms";
  const database = await openDatabase(config.rdbms, deliver, log, mayBeAway);
  const network = new SocketNetwork({
    ...{ deliver, log, metrics: () => node.metrics },
    ...(metricLabels === undefined ? {} : { metricLabels }),
    ...(collectMetrics === undefined ? {} : { collectMetrics }),
  });
  let nowStopped: () => void;
  const coreStopped = new Promise<void>((resolve) => (nowStopped = resolve));
  const node = server({
    config,
    ports: {
      ...{ network, http: network.http, database, crypto, entropy: new SystemEntropy(), log },
      resolver: new SystemResolver(deliver),
    },
    recorder: recording?.recorder,
    onStopped: () => nowStopped(),
  });
  const { falseSaltSecret } = node;
  recording?.begin((write) => new RecordingWriter({ config, falseSaltSecret, crypto, write }));
  const time = new RealTime(node.loop);
  clock.time = time;
  time.start();

  const close = async (): Promise<void> => {
    await network.stopListening();
    network.closeAll();
    time.stop();
    await database.close();
    await recording?.close();
  };
  const listening = new Map<string, number>();
  try {
    // Other nodes first: clients are better served by a node that knows its peers.
    const cluster = config.cluster === undefined ? [] : [config.cluster.listener];
    for (const listener of [...cluster, ...config.listen]) {
      listening.set(listener.name, (await network.listen(listener)).port);
    }
  } catch (error) {
    await close();
    throw new Failure(`${reasonOf(error)}.`);
  }
  log.write("info", "node-started", { hosts: config.general.hosts.join(" ") });
  return {
    listening,
    stop(): void {
      log.write("info", "node-stopping");
      void network.stopListening();
      deliver({ type: "shutdown-requested" });
    },
    reload: () => network.reloadCertificates(),
    renderMetrics: () => network.renderMetrics(),
    stopped: coreStopped.then(close).then(() => log.write("info", "node-stopped")),
  };
}

/** Before anything is opened: the commonest mistake should be the first to be told. */
function checkCertificates({ listen, cluster }: Config): void {
  const links = cluster?.listener.tls;
  const all = [...listen.map(({ tls }) => tls), ...(links === undefined ? [] : [linkTls(links)])];
  for (const tls of all) {
    try {
      if (tls !== undefined) void new TlsCertificates(tls);
    } catch (error) {
      throw new Failure(`${reasonOf(error)}.`);
    }
  }
}

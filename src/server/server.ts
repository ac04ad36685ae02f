/**
 * Server: the one composition root. The command line gives it sockets and PostgreSQL, the simulator
 * gives it a simulated world; what runs is the same.
 *
 *     bytes → C2sStream → Router → (features) → C2sStream → bytes
 */
import type { Cluster } from "../cluster/cluster.ts";
import type { Peer } from "../cluster/peer.ts";
import { bytesFromText, equalBytes } from "../base/bytes.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Counter } from "../ports/metrics.ts";
import type { SessionState } from "../router/session.ts";
import type { Feature } from "../router/feature.ts";
import * as modules from "../modules/index.ts";
import type { Config } from "./config.ts";
import { MeerkatCore } from "./core.ts";
import type { Ports } from "./effects.ts";
import { Loop } from "./loop.ts";
import type { Recorder } from "./recorder.ts";

/** All features, in the order of their names: which is first must not matter. */
export const features: readonly Feature[] = Object.values(modules).toSorted((a, b) =>
  a.name < b.name ? -1 : 1,
);

export const version = "0.1.0";

export interface ServerOptions {
  readonly config: Config;
  readonly ports: Ports;
  readonly recorder?: Recorder | undefined;
  readonly onStopped: () => void;
  /** What a bug does: `contain` closes the stream it hit, `throw` stops everything (simulator). */
  readonly onFault?: "contain" | "throw";
  /** Shown the cluster's machine once there is one: for observers, who change nothing. */
  readonly onCluster?: ((self: Peer, cluster: Cluster) => void) | undefined;
  /** From which false SCRAM salts are made; by default from the database's password. */
  readonly falseSaltSecret?: Uint8Array;
}

export interface Server {
  readonly loop: Loop;
  readonly metrics: readonly Counter[];
  /** For oracles and status pages: all sessions bound here. */
  sessions(): readonly SessionState[];
  readonly falseSaltSecret: Uint8Array;
}

export function server(options: ServerOptions): Server {
  const { config, ports, recorder } = options;
  const falseSaltSecret = options.falseSaltSecret ?? falseSaltSecretOf(config, ports);
  const entropy = {
    bytes(count: number): Uint8Array {
      const bytes = ports.entropy.bytes(count);
      recorder?.entropy(bytes);
      return bytes;
    },
  };
  const core = new MeerkatCore({
    config,
    features,
    version,
    entropy,
    crypto: recorder === undefined ? ports.crypto : recordedProofs(config, ports.crypto, recorder),
    log: ports.log,
    onFault: options.onFault ?? "contain",
    onCluster: options.onCluster ?? (() => undefined),
    falseSaltSecret,
  });
  const loop = new Loop({ core, ports, recorder, onStopped: options.onStopped });
  return {
    loop,
    metrics: core.metrics,
    sessions: () => [...core.directory.local.kept()].map((session) => session.snapshot()),
    falseSaltSecret,
  };
}

/** The same on every node of a cluster and after a restart, and not to be guessed from outside. */
function falseSaltSecretOf(config: Config, ports: Ports): Uint8Array {
  const seed = `${config.rdbms.username}\0${config.rdbms.password}\0${config.rdbms.database}`;
  const bytes = new Uint8Array(seed.length);
  for (let i = 0; i < seed.length; i++) bytes[i] = seed.charCodeAt(i) & 0xff;
  return ports.crypto.hash("sha-256", bytes);
}

/**
 * Proofs of the cluster's secret are written down as they are made, as entropy is: so a recording can be
 * replayed by who does not know the secret.
 */
function recordedProofs({ cluster }: Config, crypto: Crypto, recorder: Recorder): Crypto {
  if (cluster === undefined) return crypto;
  const secret = bytesFromText(cluster.secret);
  return {
    hash: (name, data) => crypto.hash(name, data),
    equal: (a, b) => crypto.equal(a, b),
    deriveKey: (request, derivation) => crypto.deriveKey(request, derivation),
    hmac(name, key, data) {
      const code = crypto.hmac(name, key, data);
      if (equalBytes(key, secret)) recorder.entropy(code);
      return code;
    },
  };
}

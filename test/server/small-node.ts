/**
 * Small node: `server()` with ports that answer at once: a network that remembers what was written, and
 * a database in which everybody's password is `secret`. For tests of the core that need no world.
 */
import { pbkdf2Sync } from "node:crypto";
import { bytesFromText, bytesFromBinary, textFromBytes, toBase64 } from "../../src/base/bytes.ts";
import type { Now } from "../../src/base/time.ts";
import type { KeyDerivation } from "../../src/ports/crypto.ts";
import type { Query } from "../../src/ports/database.ts";
import { NodeCrypto } from "../../src/runtime/crypto.ts";
import { defaultConfig, listenerDefaults, type Config } from "../../src/server/config.ts";
import type { WorldInput } from "../../src/server/effects.ts";
import type { Recorder } from "../../src/server/recorder.ts";
import { server, type Server } from "../../src/server/server.ts";
import { selectKeys } from "../../src/storage/accounts.ts";
import { makeScramKeys } from "../../src/stream/sasl/scram.ts";

export const smallConfig: Config = {
  ...defaultConfig,
  auth: {
    ...defaultConfig.auth,
    sasl_mechanisms: ["PLAIN", "ANONYMOUS"],
    scram_iterations: 2,
    max_attempts: 3,
  },
  listen: [
    {
      ...listenerDefaults,
      name: "c2s",
      kind: "c2s",
      port: 0,
      tls: undefined,
      allow_plaintext: true,
    },
  ],
};

const salt = Buffer.from("salt");
export const pureCrypto = new NodeCrypto(() => undefined);

function derive({ hash, password, salt: salted, iterations }: KeyDerivation): Uint8Array {
  const name = hash.replace("-", "");
  const lengths = { "sha-1": 20, "sha-256": 32, "sha-512": 64 };
  return pbkdf2Sync(password, salted, iterations, lengths[hash], name);
}

/** What the database has of everybody: the keys of `secret`. */
export function keysOfSecret(): Record<
  "salt" | "stored_key" | "server_key" | "derived",
  Uint8Array
> & {
  iterations: number;
} {
  const derived = derive({
    hash: "sha-256",
    password: bytesFromText("secret"),
    salt,
    iterations: 2,
  });
  const keys = makeScramKeys(pureCrypto, "sha-256", derived, salt, 2);
  const { storedKey: stored_key, serverKey: server_key } = keys;
  return { salt, iterations: 2, stored_key, server_key, derived };
}

export class SmallNode {
  readonly server: Server;
  readonly written = new Map<number, string>();
  readonly closed = new Set<number>();
  /** How often the database was asked. */
  queries = 0;
  /** Answers of the database that it keeps to itself for now; undefined: it answers at once. */
  withheld: WorldInput[] | undefined;
  /** Connections that are not read at present. */
  readonly paused = new Set<number>();
  stopped = false;
  #drawn = 0;
  #connections = 0;
  #now: Now = { at: 1_000, wall: 1_700_000_000_000 };

  constructor(options: { config?: Config; recorder?: Recorder } = {}) {
    this.server = server({
      config: options.config ?? smallConfig,
      recorder: options.recorder,
      onStopped: () => void (this.stopped = true),
      onFault: "throw",
      ports: {
        network: {
          write: (connection, data) =>
            void this.written.set(connection, (this.written.get(connection) ?? "") + data),
          ping: () => undefined,
          startTls: () => undefined,
          dial: () => undefined,
          pauseReading: (connection) => void this.paused.add(connection),
          resumeReading: (connection) => void this.paused.delete(connection),
          close: (connection) => void this.closed.add(connection),
        },
        database: { query: (request, queries) => this.#query(request, queries) },
        http: { respond: () => undefined },
        log: { write: () => undefined },
        crypto: {
          hash: (name, data) => pureCrypto.hash(name, data),
          hmac: (name, key, data) => pureCrypto.hmac(name, key, data),
          equal: (a, b) => pureCrypto.equal(a, b),
          deriveKey: (request, derivation) =>
            this.deliver({ type: "key-derived", request, key: derive(derivation) }),
        },
        entropy: {
          bytes: (count) => Buffer.alloc(count, ++this.#drawn),
        },
      },
    });
  }

  deliver(input: WorldInput): void {
    this.server.loop.deliver(this.#now, input);
  }

  after(ms: number): void {
    this.#now = { at: this.#now.at + ms, wall: this.#now.wall + ms };
    this.deliver({ type: "deadline-reached" });
  }

  /** A connection on which `text` has been sent. */
  connect(text: string): number {
    const connection = ++this.#connections;
    const opened = { listener: "c2s", remote: "127.0.0.1", framing: "tcp" } as const;
    this.deliver({ type: "connection-opened", connection, ...opened });
    this.send(connection, text);
    return connection;
  }

  send(connection: number, text: string): void {
    this.deliver({ type: "bytes-received", connection, bytes: bytesFromText(text) });
  }

  /** A logged-in client. */
  login(user: string, resource: string): number {
    const plain = toBase64(bytesFromText(`\0${user}\0secret`));
    return this.connect(
      `${header}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>` +
        `${header}<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq><presence/>`,
    );
  }

  /** What a connection was sent since this was last asked. */
  read(connection: number): string {
    const binary = this.written.get(connection) ?? "";
    this.written.delete(connection);
    return textFromBytes(bytesFromBinary(binary));
  }

  #query(request: number, queries: readonly Query[]): void {
    this.queries += 1;
    const row = keysOfSecret();
    const results = queries.map(({ statement }) => (statement === selectKeys ? [row] : []));
    const answer = { type: "query-answered", request, results } as const;
    if (this.withheld === undefined) this.deliver(answer);
    else this.withheld.push(answer);
  }
}

export const header =
  "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

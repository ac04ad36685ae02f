/**
 * TLS: which certificate do we show, and how does a socket become a secure one?
 *
 * One acceptor per listener. Its certificates come from files and can be read again at any time: new
 * handshakes see the new ones, connections that exist keep theirs. Who names a host (SNI, or the
 * stream's `to` before STARTTLS) gets that host's certificate, everybody else the default one.
 */
import { constants, createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Socket } from "node:net";
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from "node:tls";
import { second, type Duration } from "../base/time.ts";
import type { ClusterTls, TlsConfig } from "../server/config.ts";

type Secured = (result: TLSSocket | Error) => void;

/** From the connection to the end of the TLS handshake between two nodes. */
export const linkHandshakeTimeout = 5 * second;

/** The one pair of a node, in the form that certificates are read in. */
export const linkTls = (tls: ClusterTls): TlsConfig => ({ ...tls, mode: "tls", hosts: {} });

/** A host's certificate, ready for handshakes and for `setSecureContext`. */
interface Identity {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
}

export class TlsCertificates {
  readonly #config: TlsConfig;
  #default: Identity;
  #hosts: ReadonlyMap<string, Identity>;
  #modified: string;

  /** Throws an Error of one line that names the file and what is wrong with it. */
  constructor(config: TlsConfig) {
    this.#config = config;
    this.#modified = modificationTimes(config);
    this.#default = identity(config, config.cacertfile);
    this.#hosts = hostIdentities(config);
  }

  /** Reads all files again; throws, and changes nothing, if one of them is no good. */
  reload(): void {
    const modified = modificationTimes(this.#config);
    const fallback = identity(this.#config, this.#config.cacertfile);
    this.#hosts = hostIdentities(this.#config);
    this.#default = fallback;
    this.#modified = modified;
  }

  /** Has a file been written since it was last read? */
  changed(): boolean {
    return modificationTimes(this.#config) !== this.#modified;
  }

  of(host: string | undefined): Identity {
    return (host === undefined ? undefined : this.#hosts.get(host.toLowerCase())) ?? this.#default;
  }

  /** For `tls.createServer` and `https.createServer`. */
  serverOptions(host: string | undefined): TlsOptions {
    return {
      ...this.of(host).options,
      requestCert: this.#config.cacertfile !== "",
      rejectUnauthorized: false, // no certificate, or one of strangers: then SASL EXTERNAL is not offered
      SNICallback: (name, done) => {
        const known = this.#hosts.get(name.toLowerCase());
        done(null, known?.context);
      },
    };
  }
}

export class TlsAcceptor {
  readonly certificates: TlsCertificates;
  readonly #handshakeTimeout: Duration;
  /** By the host that is assumed where the client names none. */
  readonly #servers = new Map<string, Server>();
  readonly #purpose: "clients" | "links";
  /** Handshakes under way, by the addresses of both ends. */
  readonly #waiting = new Map<string, Secured>();

  /** For `links` nobody without a certificate of our authorities is accepted. */
  constructor(
    certificates: TlsCertificates,
    handshakeTimeout: Duration,
    purpose: "clients" | "links" = "clients",
  ) {
    this.certificates = certificates;
    this.#handshakeTimeout = handshakeTimeout;
    this.#purpose = purpose;
  }

  /** Does the handshake on a connected socket that nobody reads; `done` is called once. */
  secure(socket: Socket, host: string, done: Secured): void {
    const ends = endsOf(socket);
    if (socket.destroyed) return done(new Error("the peer left before the TLS handshake"));
    this.#waiting.set(ends, done);
    socket.once("close", () =>
      this.#answer(ends, new Error("the peer left during the TLS handshake")),
    );
    // Documented for `tls.Server`; its own TLSSocket is the only one to verify client certificates.
    this.#serverFor(host).emit("connection", socket);
  }

  reload(): void {
    this.certificates.reload();
    for (const [host, server] of this.#servers) {
      server.setSecureContext(this.certificates.of(host).options);
    }
  }

  #serverFor(host: string): Server {
    const own = this.certificates.of(host) === this.certificates.of(undefined) ? "" : host;
    const existing = this.#servers.get(own);
    if (existing !== undefined) return existing;
    const server = createServer({
      ...this.certificates.serverOptions(own),
      handshakeTimeout: this.#handshakeTimeout,
      ...(this.#purpose === "clients"
        ? { ALPNProtocols: ["xmpp-client"] } // XEP-0368 §3
        : { rejectUnauthorized: true, minVersion: "TLSv1.3" }), // only it exports to all ciphers
    });
    server.on("secureConnection", (socket) => this.#answer(endsOf(socket), socket));
    server.on("tlsClientError", (error, socket) => {
      this.#answer(endsOf(socket), error);
      socket.destroy();
    });
    this.#servers.set(own, server);
    return server;
  }

  #answer(ends: string, result: TLSSocket | Error): void {
    const done = this.#waiting.get(ends);
    this.#waiting.delete(ends);
    done?.(result);
  }
}

/** Unique among living sockets; the way from Node's TLSSocket back to the socket that it wraps. */
function endsOf(socket: Socket): string {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return `${remoteAddress}|${remotePort}|${localAddress}|${localPort}`;
}

function hostIdentities(config: TlsConfig): ReadonlyMap<string, Identity> {
  return new Map(
    Object.entries(config.hosts).map(([host, pair]) => [
      host.toLowerCase(),
      identity(pair, config.cacertfile),
    ]),
  );
}

function identity(pair: { certfile: string; keyfile: string }, cacertfile: string): Identity {
  const cert = contents("certfile", pair.certfile);
  const key = contents("keyfile", pair.keyfile);
  const certificate = parsed("certfile", pair.certfile, "a PEM certificate", () => {
    return new X509Certificate(cert);
  });
  const privateKey = parsed("keyfile", pair.keyfile, "an unencrypted PEM private key", () =>
    createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(`keyfile "${pair.keyfile}" does not belong to certfile "${pair.certfile}"`);
  }
  const options: SecureContextOptions = {
    cert,
    key,
    minVersion: "TLSv1.2", // RFC 7590 §3.1 wants TLS; RFC 8996 forbids the versions before 1.2
    honorCipherOrder: true,
    // No tickets: nobody resumes sessions of hours, and they would keep keys and memory. No
    // renegotiation: RFC 7590 §3.5 warns of it, and it would change `tls-unique` under SASL.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    ...(cacertfile === "" ? {} : { ca: contents("cacertfile", cacertfile) }),
  };
  const context = parsed("certfile", pair.certfile, "a chain that OpenSSL takes", () =>
    createSecureContext(options),
  );
  return { options, context };
}

function contents(key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === "ENOENT" ? "there is no such file" : (code ?? String(error));
    throw new Error(`Cannot read ${key} "${path}": ${why}`, { cause: error });
  }
}

function parsed<T>(key: string, path: string, wanted: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const why = error instanceof Error ? error.message.replaceAll(/\s+/g, " ") : String(error);
    throw new Error(`${key} "${path}" does not hold ${wanted}: ${why}`, { cause: error });
  }
}

/** Missing files count as a change: the next reload says what is wrong. */
function modificationTimes(config: TlsConfig): string {
  const pairs = [config, ...Object.values(config.hosts)];
  const paths = [...pairs.flatMap((pair) => [pair.certfile, pair.keyfile]), config.cacertfile];
  return paths
    .filter((path) => path !== "")
    .map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? "missing")
    .join();
}

/** Plants at the edge: hosts that a cluster serves beside the first, and listeners of other kinds than the usual one. */
import type { Plant } from "./plant.ts";

export const edgePlants: readonly Plant[] = [
  {
    name: "router-knows-only-its-senders-host",
    file: "src/router/router.ts",
    find: "if (!this.#hosts.has(to.domain)) return",
    replace: "if (to.domain !== sender.jid.domain) return",
    oracle: "delivery",
  },
  {
    name: "accounts-are-made-at-the-first-host",
    file: "src/modules/in-band-registration.ts",
    find: "yield* registerAccount(host, preparedName, keys)",
    replace: "yield* registerAccount(context.hosts[0] ?? host, preparedName, keys)",
    oracle: "accounts",
  },
  {
    name: "keys-are-found-by-the-name-alone",
    file: "src/server/authentication.ts",
    find: "lookupKeys(stream.host, username, hash)",
    replace: "lookupKeys(this.#options.config.general.hosts[0] ?? stream.host, username, hash)",
    oracle: "accounts",
  },
  {
    name: "sessions-are-bound-at-the-first-host",
    file: "src/server/session-life.ts",
    find: "      host: stream.host,",
    replace: "      host: config.general.hosts[0] ?? stream.host,",
    oracle: "progress",
  },
  {
    name: "the-index-of-sessions-ends-at-the-host",
    file: "src/router/session-record.ts",
    find: 'const slash = key.indexOf("/");',
    replace: 'const slash = key.indexOf("@");',
    oracle: "delivery",
    profile: "cluster",
  },
  {
    name: "starttls-shows-the-first-hosts-certificate",
    file: "src/stream/c2s.ts",
    find: "connection: this.connection, host: this.#host });",
    replace: 'connection: this.connection, host: this.#options.hosts[0] ?? "" });',
    oracle: "progress",
  },
  {
    name: "direct-tls-is-forgotten",
    file: "src/stream/c2s.ts",
    find: "    this.#tls = options.tls;\n",
    replace: "",
    oracle: "courtesy",
  },
  {
    name: "passwords-may-be-shown-where-tls-is-optional",
    file: "src/stream/sasl/index.ts",
    find: "allowPlaintext, externalPossible } = circumstances;",
    replace: "externalPossible } = circumstances;\n  const allowPlaintext = true;",
    oracle: "courtesy",
  },
  {
    name: "who-could-bind-a-channel-is-believed",
    file: "src/stream/sasl/scram.ts",
    find: 'if (header.binding === "y" && context.plusOffered) {',
    replace: 'if (header.binding === "y" && plus) {',
    oracle: "accounts",
  },
  {
    name: "websockets-are-never-pinged",
    file: "src/stream/c2s.ts",
    find: "if (isIdle) this.#effects",
    replace: 'if (isIdle && this.#options.framing === "tcp") this.#effects',
    oracle: "patience",
  },
  {
    name: "websocket-stanzas-have-no-namespace",
    file: "src/stream/framing.ts",
    find: '  context: "",',
    replace: "  context: NS.client,",
    oracle: "courtesy",
  },
];

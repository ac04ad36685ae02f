/** Prosody as a subject, in a lean profile: it routes, and has no roster, archive or offline storage. */
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { password, user } from "../load/spec.ts";
import {
  accounts,
  freePort,
  installed,
  startServer,
  temporaryFolder,
  type StartOptions,
  type Subject,
} from "./subject.ts";

/** What Prosody 0.12 uses by default. */
const iterations = 10_000;

export const prosody: Subject = {
  name: "prosody",
  unavailable: () => (installed("/usr/bin/prosody") ? undefined : "not installed (prosody)"),
  async start(options) {
    const port = await freePort();
    const folder = temporaryFolder("prosody");
    const file = join(folder, "prosody.cfg.lua");
    writeFileSync(file, configuration(folder, port, options));
    writeAccounts(join(folder, "data", "localhost", "accounts"));
    return startServer({
      command: "prosody",
      args: ["-F", "--config", file],
      folder,
      port,
    });
  },
};

function configuration(folder: string, port: number, { tls, certificate }: StartOptions): string {
  const ports = tls
    ? `c2s_ports = { }\nc2s_direct_tls_ports = { ${port} }\nc2s_direct_tls_interfaces = { "127.0.0.1" }
c2s_direct_tls_ssl = { certificate = "${certificate.certfile}", key = "${certificate.keyfile}" }`
    : `c2s_ports = { ${port} }`;
  return `
pidfile = "${folder}/prosody.pid"
data_path = "${folder}/data"
run_as_root = true
modules_enabled = { "saslauth", "disco", "ping" }
modules_disabled = { "offline", "s2s", "s2s_auth_certs", "http"${tls ? "" : ', "tls"'} }
${ports}
c2s_interfaces = { "127.0.0.1" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
storage = { accounts = "internal" }
default_storage = "memory"
network_settings = { tcp_backlog = 1024 }
log = { error = "${folder}/prosody.log" }
VirtualHost "localhost"
`;
}

/** One file an account, all with the keys of the same password and salt (RFC 5802 §3). */
function writeAccounts(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const salt = "8d5a9c1e-bench";
  const salted = pbkdf2Sync(password, salt, iterations, 20, "sha1");
  const hmac = (text: string): Buffer => createHmac("sha1", salted).update(text).digest();
  const storedKey = createHash("sha1").update(hmac("Client Key")).digest("hex");
  const text = `return {
  ["iteration_count"] = ${iterations};
  ["salt"] = "${salt}";
  ["stored_key"] = "${storedKey}";
  ["server_key"] = "${hmac("Server Key").toString("hex")}";
};
`;
  for (let i = 0; i < accounts; i++) writeFileSync(join(folder, `${user(i)}.dat`), text);
}

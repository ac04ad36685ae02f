/**
 * `meerkat dev`, which `npm start` runs: a node to try things with, on 127.0.0.1 alone.
 *
 * Brings its own certificate and its own PostgreSQL, both under the data folder. Ports are tried first:
 * a second start must not touch the first one's database. The database is stopped last, so that what
 * clients sent in their last moment is still stored.
 */
import { join, resolve } from "node:path";
import { localhostCertificate } from "../runtime/certificate.ts";
import { startDevDatabase } from "../runtime/dev-database.ts";
import { devConfig, devPort } from "./dev-config.ts";
import { Failure, reasonOf } from "./failure.ts";
import { startNode } from "./node.ts";
import { assertPortsFree } from "./ports-free.ts";
import { runUntilStopped } from "./run-until-stopped.ts";

export async function dev({
  data,
  port = devPort,
}: {
  data: string;
  port?: number;
}): Promise<void> {
  if (!Number.isInteger(port) || port < 1 || port + 58 > 65_535) {
    throw new Failure("--port must be an integer from 1 to 65477: two more ports follow it.");
  }
  const noDatabase = { host: "", port: 0, database: "", username: "", password: "" };
  const planned = devConfig({ certfile: "", keyfile: "", rdbms: noDatabase, port });
  await assertPortsFree(planned.listen);
  const dataDir = resolve(data);
  const certificate = await localhostCertificate(join(dataDir, "tls")).catch(failed);
  const database = await startDevDatabase({ dataDir }).catch(failed);
  let code = 1;
  try {
    const { host, port: databasePort, database: name, username, password } = database;
    const rdbms = { host, port: databasePort, database: name, username, password };
    const config = devConfig({ ...certificate, rdbms, port });
    const node = await startNode({ config });
    console.log(welcome(port, certificate.certfile));
    const { shutdown_timeout: shutdownTimeout } = config.general;
    code = await runUntilStopped({ node, shutdownTimeout, withParent: true });
  } finally {
    await database.stop();
  }
  process.exit(code);
}

function failed(error: unknown): never {
  if (error instanceof TypeError) throw error; // a bug of ours keeps its trace
  throw new Failure(reasonOf(error));
}

function welcome(port: number, certfile: string): string {
  return `
Meerkat is running on this machine.

  XMPP         localhost:${port}   STARTTLS
  XMPP         localhost:${port + 1}   direct TLS
  WebSocket    ws://localhost:${port + 58}/ws-xmpp
  Health       http://localhost:${port + 58}/healthz   also /readyz and /metrics

Make an account:  npx meerkat account register alice@localhost secret
                  or register from your client: it is allowed from this machine
Log in:           as alice@localhost, server localhost, with any XMPP client; it will ask about the
                  self-signed certificate, which is ${certfile}
Stop:             Ctrl-C
`;
}

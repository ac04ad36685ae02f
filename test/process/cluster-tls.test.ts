/** Links over mutual TLS between real nodes: members join, and a node whose certificate strangers signed does not. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDevDatabase, type DevDatabase } from "../../src/runtime/dev-database.ts";
import { makeAuthority, type Authority } from "../support/client-certificate.ts";
import { clusterNode, joined, killAll } from "../support/cluster-node.ts";
import {} from "../support/server.ts";
import { freePorts } from "../../src/runtime/free-ports.ts";
import { until } from "../support/started.ts";
import { temporaryFolder } from "../support/temporary-folders.ts";

const folder = temporaryFolder();
let database: DevDatabase;

beforeAll(async () => {
  database = await startDevDatabase({ dataDir: join(folder, "data") });
});
afterAll(async () => {
  await killAll();
  await database.stop();
});

/** `[cluster.tls]` of a node whose certificate `issuer` signed, and which trusts `trusted`. */
function tlsOf(name: string, issuer: Authority, trusted: Authority): string {
  const { cert, key } = issuer.issue([]);
  writeFileSync(join(folder, `${name}.crt`), cert);
  writeFileSync(join(folder, `${name}.key`), key, { mode: 0o600 });
  writeFileSync(join(folder, `${name}-authority.crt`), trusted.cert);
  return `[cluster.tls]
certfile = "${name}.crt"
keyfile = "${name}.key"
cacertfile = "${name}-authority.crt"`;
}

test("cluster: nodes join over mutual TLS; one with a stranger's certificate is alone", async () => {
  const authority = makeAuthority("Cluster Authority");
  const ports = await freePorts(3);
  const start = (name: string, at: number, issuer: Authority) =>
    clusterNode({
      ...{ folder, database, name, port: ports[at] ?? 0 },
      backend: tlsOf(name, issuer, authority),
    });
  const a = await start("a", 0, authority);
  const b = await start("b", 1, authority);
  await until(async () => (await joined(a.http)) === "a,b" && (await joined(b.http)) === "a,b");
  const stranger = await start("x", 2, makeAuthority("Cluster Authority"));
  await stranger.running.prints("tls-handshake-failed"); // of one of them that dialled it
  await a.running.prints("tls-handshake-failed");
  expect(await joined(stranger.http)).toBe("x");
  expect([await joined(a.http), await joined(b.http)]).toEqual(["a,b", "a,b"]);
}, 180_000);

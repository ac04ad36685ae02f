/**
 * Links over mutual TLS between real nodes: members join, and a node whose certificate strangers signed does not. Nor
 * does it help to have a certificate and to stand between two members.
 */
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDevDatabase, type DevDatabase } from "../../src/runtime/dev-database.ts";
import { makeAuthority, type Authority } from "../support/client-certificate.ts";
import { clusterNode, joined, killAll } from "../support/cluster-node.ts";
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

/** Has a certificate of the authority, and hands on to `port` all that a node says to it, and back. */
async function between(authority: Authority, port: number): Promise<Server> {
  const pair = { ...authority.issue([]), ca: authority.cert };
  const pass = (from: TLSSocket, to: TLSSocket): void => {
    from.pipe(to);
    from.on("error", () => to.destroy());
  };
  const server = createServer({ ...pair, requestCert: true }, (socket) => {
    const onwards = connect({
      ...pair,
      port,
      host: "127.0.0.1",
      checkServerIdentity: () => undefined,
    });
    pass(socket, onwards);
    pass(onwards, socket);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return server;
}

test("cluster: who stands between two nodes with a certificate of their authority passes no handshake on", async () => {
  const authority = makeAuthority("Cluster Authority");
  const [aPort = 0, bPort = 0] = await freePorts(2);
  const middle = await between(authority, bPort);
  const start = (name: string, port: number, listed: { name: string; port: number }) =>
    clusterNode({
      ...{ folder, database, name, port },
      backend: `backend = "static"
nodes = [{ name = "${listed.name}", address = "127.0.0.1:${listed.port}" }]
${tlsOf(name, authority, authority)}`,
    });
  const b = await start("b", bPort, { name: "b", port: bPort });
  const a = await start("a", aPort, { name: "b", port: (middle.address() as AddressInfo).port });
  // Both ends would be glad of the other, and each sees that the proof is of another connection.
  const refused = (): boolean => b.running.output.includes("the proof is wrong");
  await until(async () => refused() || (await joined(a.http)) === "a,b");
  expect(refused()).toBe(true);
  expect([await joined(a.http), await joined(b.http)]).toEqual(["a", "b"]);
  middle.close();
}, 180_000);

import { writeFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { makePair, tlsConfig } from "../support/certificates.ts";
import { temporaryFolder } from "../support/temporary-folders.ts";
import { makeAuthority } from "../support/client-certificate.ts";
import { EchoServer } from "../support/echo-server.ts";
import { SocketClient } from "../support/socket-client.ts";

const servers: EchoServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const authority = makeAuthority();

async function serving(): Promise<EchoServer> {
  const cacertfile = `${temporaryFolder()}/authority.pem`;
  writeFileSync(cacertfile, authority.cert);
  const pair = await makePair("localhost");
  const server = await EchoServer.listening({ tls: tlsConfig(pair, { mode: "tls", cacertfile }) });
  servers.push(server);
  return server;
}

async function certified(options: { cert?: string; key?: string }) {
  const server = await serving();
  const { client } = await SocketClient.connectTls(server.port, options);
  client.write("hello");
  await client.receives("hello"); // without certificate, or with a stranger's, one may still try SASL
  return (await server.input("connection-opened")).tls?.certifiedAddresses;
}

test("tls: a certificate of our authority certifies its XMPP addresses [RFC 6120 §13.7.1.4]", async () => {
  const addresses = ["juliet@example.com", "jülïet@example.com"];
  expect(await certified(authority.issue(addresses))).toEqual(addresses);
});

test("tls: a certificate of strangers, one without addresses, or none certifies nothing", async () => {
  const stranger = makeAuthority("Stranger").issue(["juliet@example.com"]);
  expect(await certified(stranger)).toBeUndefined();
  const impostor = makeAuthority().issue(["juliet@example.com"]); // the same name, another key
  expect(await certified(impostor)).toBeUndefined();
  expect(await certified(authority.issue([]))).toBeUndefined();
  expect(await certified({})).toBeUndefined();
});

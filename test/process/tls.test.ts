import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { localhostCertificate } from "../../src/runtime/certificate.ts";
import { TlsCertificates } from "../../src/runtime/tls.ts";
import { makePair, tlsConfig } from "../support/certificates.ts";
import { temporaryFolder } from "../support/temporary-folders.ts";
import { EchoServer } from "../support/echo-server.ts";
import { SocketClient } from "../support/socket-client.ts";

const servers: EchoServer[] = [];
const serving = async (...options: Parameters<typeof EchoServer.listening>) => {
  const server = await EchoServer.listening(...options);
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const commonName = (socket: TLSSocket) => socket.getPeerCertificate().subject.CN;
const exported = (socket: TLSSocket) =>
  socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));

test("tls: direct TLS with ALPN tells who came and what binds the channel [XEP-0368, RFC 9266]", async () => {
  const pair = await makePair("localhost");
  const server = await serving({ tls: tlsConfig(pair, { mode: "tls" }) });
  const { client, socket } = await SocketClient.connectTls(server.port, {
    ALPNProtocols: ["xmpp-client"],
    servername: "localhost",
  });
  expect(socket.alpnProtocol).toBe("xmpp-client");
  const { tls } = await server.input("connection-opened");
  expect(tls).toMatchObject({ protocol: "TLSv1.3", serverName: "localhost" });
  expect(tls?.bindings["tls-exporter"]).toEqual(exported(socket));
  const der = new X509Certificate(pair.cert).raw;
  expect(tls?.bindings["tls-server-end-point"]).toEqual(createHash("sha256").update(der).digest());
  expect(tls?.bindings["tls-unique"]).toBeUndefined();
  client.write("hello");
  await client.receives("hello");
});

test("tls: another application's protocol is refused before XMPP begins [RFC 7301 §3.2]", async () => {
  const server = await serving({ tls: tlsConfig(await makePair("localhost"), { mode: "tls" }) });
  const socket = connectTls({
    port: server.port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
  });
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toMatch(/NO_APPLICATION_PROTOCOL|ECONNRESET/);
  await server.until(() => server.logged.some(({ event }) => event === "tls-handshake-failed"));
  expect(server.core.inputs).toEqual([]);
});

test("tls: TLS 1.2 binds by the client's Finished message [RFC 5929 §3.1]", async () => {
  const server = await serving({ tls: tlsConfig(await makePair("localhost")) });
  const client = await SocketClient.connect(server.port);
  client.write("STARTTLS");
  await client.receives("PROCEED\n");
  const socket = await client.upgrade({ maxVersion: "TLSv1.2" });
  const { tls } = await server.input("tls-established");
  expect(tls.protocol).toBe("TLSv1.2");
  expect(tls.bindings["tls-unique"]).toEqual(socket.getFinished());
  expect(tls.bindings["tls-exporter"]).toBeUndefined();
  client.write("over 1.2");
  await client.receives("over 1.2");
});

test("tls: versions before 1.2 are refused [RFC 8996]", async () => {
  const server = await serving({ tls: tlsConfig(await makePair("localhost"), { mode: "tls" }) });
  const socket = connectTls({
    port: server.port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    minVersion: "TLSv1.1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0",
  });
  await once(socket, "error");
  expect(server.core.inputs).toEqual([]);
});

test("tls: each host shows its own certificate, by SNI", async () => {
  const [first, second] = [await makePair("a.example"), await makePair("b.example")];
  const server = await serving({
    tls: tlsConfig(first, { mode: "tls", hosts: { "b.example": second } }),
  });
  for (const host of ["a.example", "b.example"]) {
    const { socket } = await SocketClient.connectTls(server.port, { servername: host });
    expect(commonName(socket)).toBe(host);
  }
  await server.until(() => server.inputs("connection-opened").length === 2);
  const [, { tls } = { tls: undefined }] = server.inputs("connection-opened");
  const der = new X509Certificate(second.cert).raw;
  expect(tls?.bindings["tls-server-end-point"]).toEqual(createHash("sha256").update(der).digest());
});

test("tls: without SNI the stream's host chooses the certificate before STARTTLS", async () => {
  const [other, localhost] = [await makePair("other.example"), await makePair("localhost")];
  const server = await serving({ tls: tlsConfig(other, { hosts: { localhost } }) });
  const client = await SocketClient.connect(server.port);
  client.write("STARTTLS");
  await client.receives("PROCEED\n");
  expect(commonName(await client.upgrade())).toBe("localhost");
});

test("tls: a new certificate is used by new handshakes and disturbs nobody", async () => {
  const folder = temporaryFolder();
  const pair = await makePair("localhost", folder);
  const server = await serving({ tls: tlsConfig(pair, { mode: "tls" }) });
  const old = await SocketClient.connectTls(server.port);
  const renewed = await makePair("renewed.example");
  writeFileSync(pair.certfile, renewed.cert);
  writeFileSync(pair.keyfile, renewed.key);
  server.network.reloadCertificates();
  const { socket } = await SocketClient.connectTls(server.port);
  expect(commonName(socket)).toBe("renewed.example");
  old.client.write("still here");
  await old.client.receives("still here");

  writeFileSync(pair.certfile, "rubbish");
  server.network.reloadCertificates();
  expect(server.logged.at(-1)?.event).toBe("certificates-not-reloaded");
  const { socket: after } = await SocketClient.connectTls(server.port);
  expect(commonName(after)).toBe("renewed.example");
});

test("tls: changed files are noticed without a signal", async () => {
  const pair = await makePair("localhost");
  const server = await serving(
    { tls: tlsConfig(pair, { mode: "tls" }) },
    { certificatePollEvery: 20 },
  );
  const renewed = await makePair("renewed.example");
  writeFileSync(pair.keyfile, renewed.key);
  writeFileSync(pair.certfile, renewed.cert);
  const later = Date.now() / 1_000 + 10; // file times may be coarse
  utimesSync(pair.certfile, later, later);
  await server.until(() => server.logged.some(({ event }) => event === "certificates-reloaded"));
  const { socket } = await SocketClient.connectTls(server.port);
  expect(commonName(socket)).toBe("renewed.example");
});

test("tls: a client that does not shake hands is closed after the time limit", async () => {
  const tls = tlsConfig(await makePair("localhost"), { mode: "tls" });
  const server = await serving({ tls, c2s_state_timeout: 100 });
  const socket = connect(server.port, "127.0.0.1");
  await once(socket, "close");
  await server.until(() => server.logged.some(({ event }) => event === "tls-handshake-failed"));
  expect(server.logged[0]?.fields["reason"]).toContain("took too long");
});

test("tls: of handshakes that fail twenty a minute have a line, and the next one says how many had none", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const server = await serving({ tls: tlsConfig(await makePair("localhost"), { mode: "tls" }) });
  const lines = () => server.logged.filter(({ event }) => event === "tls-handshake-failed");
  const fail = async (): Promise<void> => {
    const socket = connect(server.port, "127.0.0.1", () => socket.write("no handshake"));
    socket.on("error", () => undefined);
    await once(socket, "close");
  };
  for (let count = 0; count < 25; count += 1) await fail();
  expect(lines()).toHaveLength(20);
  vi.advanceTimersByTime(60_000);
  await fail();
  expect(lines()).toHaveLength(21);
  expect(lines().map(({ fields }) => fields["leftOut"])).toEqual([...Array<undefined>(20), 5]);
});

test("tls: a bad file is refused in one line that names it", async () => {
  const folder = temporaryFolder();
  const [pair, other] = [await makePair("localhost", folder), await makePair("other.example")];
  const rubbish = `${folder}/rubbish.pem`;
  writeFileSync(rubbish, "rubbish");
  const complaint = (changes: object): string => {
    try {
      new TlsCertificates(tlsConfig(pair, changes));
      return "none";
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(complaint({})).toBe("none");
  expect(complaint({ certfile: `${folder}/absent.pem` })).toBe(
    `Cannot read certfile "${folder}/absent.pem": there is no such file`,
  );
  expect(complaint({ certfile: rubbish })).toMatch(/^certfile ".*rubbish.pem" does not hold a PEM/);
  expect(complaint({ keyfile: rubbish })).toMatch(
    /^keyfile ".*rubbish.pem" does not hold an unenc/,
  );
  expect(complaint({ keyfile: other.keyfile })).toMatch(/does not belong to certfile/);
  for (const changes of [{ certfile: rubbish }, { keyfile: rubbish }]) {
    expect(complaint(changes)).not.toContain("\n");
  }
});

test("tls: the certificate for localhost is made once, private, and made anew when unusable", async () => {
  const folder = `${temporaryFolder()}/tls`;
  const files = await localhostCertificate(folder);
  const certificate = new X509Certificate(readFileSync(files.certfile));
  expect(certificate.checkHost("localhost")).toBe("localhost");
  expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(certificate.checkIP("::1")).toBe("::1");
  expect(certificate.publicKey.asymmetricKeyType).toBe("ec");
  expect(statSync(files.keyfile).mode & 0o777).toBe(0o600);
  const fingerprint = () => new X509Certificate(readFileSync(files.certfile)).fingerprint256;
  await localhostCertificate(folder);
  expect(fingerprint()).toBe(certificate.fingerprint256);
  writeFileSync(files.certfile, "rubbish");
  await localhostCertificate(folder);
  expect(fingerprint()).not.toBe(certificate.fingerprint256);
});

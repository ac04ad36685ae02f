/** Logging in, by clients that nobody here wrote and by our own, with every mechanism and binding. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { externalClient } from "../../sim/clients/sasl.ts";
import { makePair } from "../support/certificates.ts";
import { temporaryFolder } from "../support/temporary-folders.ts";
import { Client, registerAll, type LoginOptions } from "../support/client.ts";
import { makeAuthority, type Authority } from "../support/client-certificate.ts";
import { startServer, type RunningServer } from "../support/server.ts";

const library = fileURLToPath(new URL("../support/client-library.mjs", import.meta.url));
let server: RunningServer;
let authority: Authority;

beforeAll(async () => {
  const folder = temporaryFolder();
  authority = makeAuthority("Clients of a test");
  const cacertfile = join(folder, "clients.crt");
  writeFileSync(cacertfile, authority.cert);
  const other = await makePair("other.test", folder);
  server = await startServer({
    hosts: ["localhost", "other.test"],
    mechanisms: [
      ...["scram_sha512_plus", "scram_sha256_plus", "scram_sha1_plus", "scram_sha512"],
      ...["scram_sha256", "scram_sha1", "plain", "external", "anonymous"],
    ],
    tls: `cacertfile = "${cacertfile}"\n[listen.c2s.tls.hosts."other.test"]\ncertfile = "${other.certfile}"\nkeyfile = "${other.keyfile}"`,
  });
  await registerAll(server.ports.starttls, ["juliet", "romeo"]);
}, 120_000);

afterAll(async () => {
  expect(await server.metric("meerkat_faults_total")).toBe(0);
  expect(await server.stop()).toBe(0);
});

interface Conversation {
  readonly addresses: readonly string[];
  readonly message: unknown;
  readonly presence: unknown;
  readonly answers: Readonly<Record<string, string>>;
  readonly unknown: string;
  readonly refused: string;
}

async function conversation(service: string, mechanism: string): Promise<Conversation> {
  const { stdout } = await promisify(execFile)(process.execPath, [library, service, mechanism], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: server.pair.certfile },
    timeout: 50_000,
  });
  return JSON.parse(stdout) as Conversation;
}

test.each([
  ["TCP with STARTTLS", "SCRAM-SHA-1"],
  ["TCP with STARTTLS", "PLAIN"],
  ["direct TLS", "SCRAM-SHA-1"],
  ["WebSocket", "SCRAM-SHA-1"],
  ["WebSocket", "PLAIN"],
])("login: @xmpp/client over %s with %s talks, asks and is refused", async (way, mechanism) => {
  const { starttls, tls, http } = server.ports;
  const services: Readonly<Record<string, string>> = {
    "TCP with STARTTLS": `xmpp://127.0.0.1:${starttls}`,
    "direct TLS": `xmpps://localhost:${tls}`,
    WebSocket: `ws://127.0.0.1:${http}/ws-xmpp`,
  };
  const seen = await conversation(services[way] ?? "", mechanism);
  expect(seen).toMatchObject({
    addresses: ["juliet@localhost/balcony", "romeo@localhost/orchard"],
    message: { from: "juliet@localhost/balcony", id: "m1", body: "Wherefore 🌹 & <?" },
    presence: { from: "romeo@localhost/orchard", status: "here" },
    unknown: "service-unavailable",
    refused: "not-authorized",
  });
  expect(seen.answers["ping"]).toBe("");
  expect(seen.answers["disco"]).toContain('var="urn:xmpp:ping"');
  expect(seen.answers["version"]).toContain("<name>Meerkat</name>");
  expect(seen.answers["time"]).toMatch(/<utc>\d{4}-\d\d-\d\dT[\d:.]+Z<\/utc>/);
  expect(seen.answers["last"]).toMatch(/seconds="\d+"/);
});

const ways: readonly (Partial<LoginOptions> & { mechanism: string; way: string })[] = [
  ...["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"].map((mechanism) => ({
    mechanism,
    way: "plainly",
  })),
  ...["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS"].flatMap((mechanism) => [
    { mechanism, way: "by tls-exporter", binding: "tls-exporter" as const },
    { mechanism, way: "by tls-server-end-point", binding: "tls-server-end-point" as const },
    {
      mechanism,
      way: "by tls-unique",
      binding: "tls-unique" as const,
      tls: { maxVersion: "TLSv1.2" as const },
    },
  ]),
];

test.each(ways)("login: $mechanism $way, right and wrong password", async (way) => {
  const port = server.ports.starttls;
  const client = await Client.login({ port, user: "juliet", resource: way.way, ...way });
  expect(client.mechanisms).toEqual([]); // after authentication there is nothing to authenticate
  await client.ping();
  await client.close();
  const stranger = await Client.secured({ port, ...way });
  expect(stranger.mechanisms).toContain(way.mechanism);
  const wrong = { ...way, user: "juliet", password: "pen" };
  expect(await stranger.authenticate(wrong)).toBe("not-authorized");
  expect(await stranger.authenticate({ ...wrong, user: "nobody" })).toBe("not-authorized");
  expect(await stranger.authenticate({ ...way, user: "juliet" })).toBe("success");
  await stranger.open();
  await stranger.bind();
  await stranger.close();
});

test("login: a binding of another channel is refused [RFC 5802 §6]", async () => {
  const port = server.ports.starttls;
  const client = await Client.secured({ port, tls: { maxVersion: "TLSv1.2" } });
  const wanted = { user: "juliet", mechanism: "SCRAM-SHA-256-PLUS" };
  // TLS 1.2 gives no exporter here: the client binds to nothing, and says it were one.
  expect(await client.authenticate({ ...wanted, binding: "tls-exporter" })).not.toBe("success");
  client.vanish();
});

test("login: direct TLS with ALPN [XEP-0368]", async () => {
  const { tls } = server.ports;
  const client = await Client.login({
    port: tls,
    security: "tls",
    user: "juliet",
    tls: { ALPNProtocols: ["xmpp-client"] },
  });
  expect(client.secured?.alpnProtocol).toBe("xmpp-client");
  await client.ping();
  await client.close();
});

test.each(["starttls", "tls"] as const)(
  "login: each host shows its own certificate and has its own accounts, over %s",
  async (security) => {
    const port = server.ports[security];
    for (const host of ["localhost", "other.test"]) {
      const client = await Client.secured({ port, host, security });
      expect(client.secured?.getPeerCertificate().subject.CN).toBe(host);
      const outcome = await client.authenticate({ user: "juliet" });
      expect(outcome).toBe(host === "localhost" ? "success" : "not-authorized");
      client.vanish();
    }
  },
);

test("login: EXTERNAL with a certificate that names the account [RFC 6120 §13.7.1.4]", async () => {
  const { starttls: port } = server.ports;
  const { cert, key } = authority.issue(["juliet@localhost"]);
  const client = await Client.secured({ port, tls: { cert, key } });
  expect(client.mechanisms).toContain("EXTERNAL");
  expect(await client.exchange(externalClient("romeo@localhost"))).toBe("invalid-authzid");
  expect(await client.exchange(externalClient())).toBe("success");
  await client.open();
  await client.bind("certified");
  expect(client.jid).toBe("juliet@localhost/certified");
  await client.close();
});

test("login: EXTERNAL is not offered without a certificate that our authority vouches for", async () => {
  const { starttls: port } = server.ports;
  const foreign = makeAuthority("Somebody else").issue(["juliet@localhost"]);
  for (const tls of [{}, { cert: foreign.cert, key: foreign.key }]) {
    const client = await Client.secured({ port, tls });
    expect(client.mechanisms).not.toContain("EXTERNAL");
    expect(await client.exchange(externalClient())).toBe("invalid-mechanism");
    client.vanish();
  }
});

test("login: ANONYMOUS gets a name of its own each time [XEP-0175]", async () => {
  const anonymous = { port: server.ports.starttls, user: "", mechanism: "ANONYMOUS" };
  const first = await Client.login(anonymous);
  const second = await Client.login(anonymous);
  expect(first.jid.split("/")[0]).not.toBe(second.jid.split("/")[0]);
  first.send(`<message to='${second.jid}' id='hello'/>`);
  const message = await second.inbox.find(({ name }) => name === "message");
  expect(message.attributes).toMatchObject({ id: "hello", from: first.jid });
  await first.close();
  await second.close();
});

test("login: in-band registration, twice the same name, bad names, then removal [XEP-0077]", async () => {
  const { starttls: port } = server.ports;
  const client = await Client.secured({ port });
  expect(client.features.map(({ name }) => name)).toContain("register");
  expect(await client.register("mercutio")).toBe("registered");
  expect(await client.register("Mercutio")).toBe("conflict");
  expect(await client.register("not a name")).toBe("not-acceptable");
  await client.close();
  const mercutio = await Client.login({ port, user: "mercutio" });
  const remove = "<query xmlns='jabber:iq:register'><remove/></query>";
  const answer = await mercutio.iq("set", "", remove);
  expect(answer.attributes["type"]).toBe("result");
  await mercutio.inbox.closed;
  const ghost = await Client.secured({ port });
  expect(await ghost.authenticate({ user: "mercutio" })).toBe("not-authorized");
  ghost.vanish();
});

test("login: a second login to a resource replaces the first [RFC 6120 §7.7.2.2]", async () => {
  const { starttls: port } = server.ports;
  const old = await Client.login({ port, user: "juliet", resource: "same" });
  const young = await Client.login({ port, user: "juliet", resource: "same" });
  await old.inbox.closed;
  expect(old.inbox.received).toContain("<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>");
  await young.ping();
  await young.close();
});

test("login: host-meta names the WebSocket [XEP-0156]", async () => {
  const { status, body } = await server.get("/.well-known/host-meta.json");
  expect(status).toBe(200);
  expect(body).toContain(`:${server.ports.http}/ws-xmpp`);
});

/** A client that has not read what it was sent: sockets and the node's queue are full. It leaves, or reads on slowly. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client, registerAll } from "../support/client.ts";
import { until } from "../support/cluster.ts";
import { startServer, type RunningServer } from "../support/server.ts";

/** Their answers are more than the sockets between the two can hold. */
const requests = 25_000;
let server: RunningServer;

beforeAll(async () => {
  server = await startServer({ sessions: "max_send_queue = 100000000\nsend_timeout = 60000" });
  await registerAll(server.ports.starttls, ["juliet", "romeo"]);
}, 120_000);

afterAll(async () => {
  expect(await server.metric("meerkat_faults_total")).toBe(0);
  expect(await server.stop()).toBe(0);
});

const login = (user: string): Promise<Client> =>
  Client.login({ port: server.ports.starttls, user, available: true });

test("slow client: at its closing tag it is written all its answers; a message that waits goes back", async () => {
  const [juliet, romeo] = [await login("juliet"), await login("romeo")];
  const before = (await server.metric("meerkat_stanzas_received_total")) ?? 0;
  juliet.socket.pause();
  const info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
  for (let id = 0; id < requests; id += 1) {
    juliet.send(`<iq type='get' id='info-${id}' to='${juliet.host}'>${info}</iq>`);
  }
  await until(async () => {
    return ((await server.metric("meerkat_stanzas_received_total")) ?? 0) >= before + requests;
  });
  romeo.send(`<message to='${juliet.jid}' id='waits'/>`);
  await romeo.ping();
  juliet.send("</stream:stream>");
  const back = await romeo.inbox.find(({ attributes }) => attributes["id"] === "waits");
  expect(back.attributes["type"]).toBe("error"); // so there was a queue, and it was in it
  juliet.socket.resume();
  await juliet.inbox.closed;
  const answers = juliet.inbox.nodes.filter(({ attributes }) => attributes["type"] === "result");
  const ids = answers.map(({ attributes }) => attributes["id"] ?? "");
  expect(ids.filter((id) => id.startsWith("info-"))).toEqual(
    Array.from({ length: requests }, (_, id) => `info-${id}`),
  );
  expect(juliet.inbox.received.endsWith("</stream:stream>")).toBe(true);
  await romeo.close();
});

test("slow client: one that reads all the time, but slowly, is not closed for reading nothing", async () => {
  const patient = await startServer({
    sessions: "max_send_queue = 100000000\nsend_timeout = 5000",
  });
  await registerAll(patient.ports.starttls, ["juliet"]);
  const juliet = await Client.login({
    ...{ port: patient.ports.starttls, user: "juliet", available: true },
  });
  const before = (await patient.metric("meerkat_stanzas_received_total")) ?? 0;
  juliet.socket.pause();
  // Read at a megabyte a second, what waits in the node takes it twice as long as the limit.
  const many = 40_000;
  const info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
  for (let id = 0; id < many; id += 1) {
    juliet.send(`<iq type='get' id='info-${id}' to='${juliet.host}'>${info}</iq>`);
  }
  await until(async () => {
    return ((await patient.metric("meerkat_stanzas_received_total")) ?? 0) >= before + many;
  });
  let unread = 0;
  juliet.socket.on("data", (bytes: Buffer) => {
    unread += bytes.length;
    if (unread > 60_000) juliet.socket.pause();
  });
  const reading = setInterval(() => {
    unread = 0;
    juliet.socket.resume();
  }, 60);
  const results = () =>
    juliet.inbox.nodes.filter(({ attributes }) => attributes["type"] === "result").length;
  await Promise.race([juliet.inbox.closed, until(() => results() >= many)]);
  clearInterval(reading);
  juliet.socket.resume();
  expect(juliet.inbox.received).not.toContain("Nothing was read");
  expect(results()).toBeGreaterThanOrEqual(many);
  await juliet.close();
  expect(await patient.stop()).toBe(0);
});

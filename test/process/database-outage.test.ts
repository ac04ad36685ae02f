/** A PostgreSQL that goes and comes back costs errors to those who needed it meanwhile, never the node. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startDevDatabase } from "../../src/runtime/dev-database.ts";
import { Client, registerAll } from "../support/client.ts";
import { Gate } from "../support/gate.ts";
import { startServer, type RunningServer } from "../support/server.ts";

const gate = new Gate();
let server: RunningServer;

beforeAll(async () => {
  server = await startServer({ databasePort: (port) => gate.open(port) });
  await registerAll(server.ports.starttls, ["juliet", "romeo"]);
}, 120_000);

afterAll(async () => {
  expect(await server.stop()).toBe(0);
  gate.close();
});

test("database outage: an answer lost after the commit is told as unknown, and the deed is there", async () => {
  const port = server.ports.starttls;
  const register = async (): Promise<string> => {
    const client = await Client.secured({ port });
    const outcome = await client.register("tybalt");
    client.vanish();
    return outcome;
  };
  gate.losesCommits = true;
  expect(await register()).toBe("resource-constraint");
  gate.losesCommits = false;
  // Until the connection has been dialled again the answer may be the same; then the account is there.
  let again = await register();
  while (again === "resource-constraint") again = await register();
  expect(again).toBe("conflict");
  const tybalt = await Client.login({ port, user: "tybalt" });
  await tybalt.ping();
  await tybalt.close();
});

test("database outage: who is logged in chats on, logins fail for now, and work again afterwards", async () => {
  const port = server.ports.starttls;
  const juliet = await Client.login({ port, user: "juliet" });
  const romeo = await Client.login({ port, user: "romeo" });
  let sent = 0;
  let chatting = true;
  const got: number[] = [];
  romeo.inbox.onNode = ({ name, attributes }) => {
    if (name === "message") got.push(Number(attributes["id"]));
  };
  const chat = (async () => {
    while (chatting) {
      juliet.send(`<message to='${romeo.jid}' id='${sent++}'><body>hello</body></message>`);
      await juliet.ping();
    }
  })();

  await server.database.stop();
  const beforeLogins = sent;
  for (const mechanism of ["SCRAM-SHA-256", "PLAIN"]) {
    const stranger = await Client.secured({ port });
    const outcome = await stranger.authenticate({ user: "juliet", mechanism });
    expect(outcome).toBe("temporary-auth-failure");
    stranger.vanish();
  }
  const newcomer = await Client.secured({ port });
  expect(await newcomer.register("mercutio")).toBe("resource-constraint");
  newcomer.vanish();
  // The chat goes on meanwhile: it ends the test's time if it does not.
  while (sent < beforeLogins + 5) await new Promise((wake) => setTimeout(wake, 10));
  expect((await server.get("/healthz")).status).toBe(200);

  const log = { write: () => undefined };
  server.database = await startDevDatabase({ dataDir: join(server.folder, "data"), log });
  gate.target = server.database.port;
  // The node dials again by itself, with growing pauses: ask as a client would, until it has.
  let outcome = "";
  for (let attempt = 0; attempt < 40 && outcome !== "success"; attempt++) {
    const back = await Client.secured({ port });
    outcome = await back.authenticate({ user: "juliet" });
    if (outcome !== "success") await new Promise((resolve) => setTimeout(resolve, 250));
    back.vanish();
  }
  expect(outcome).toBe("success");
  const newcomerAgain = await Client.secured({ port });
  expect(await newcomerAgain.register("mercutio")).toBe("registered");
  newcomerAgain.vanish();

  chatting = false;
  await chat;
  await romeo.ping();
  expect(got).toEqual(Array.from({ length: sent }, (_, number) => number));
  expect(await server.metric("meerkat_faults_total")).toBe(0);
  expect(await server.metric("meerkat_database_failures_total")).toBeGreaterThanOrEqual(3);
  await juliet.close();
  await romeo.close();
}, 120_000);

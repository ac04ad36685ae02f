/** Dialling other nodes over real sockets: the contract, without TLS and with it, and what TLS refuses. */
import { writeFileSync } from "node:fs";
import { connect as connectTcp, createServer, type AddressInfo } from "node:net";
import { connect as connectTls } from "node:tls";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import type { Network, NetworkInput } from "../../src/ports/network.ts";
import { SocketNetwork } from "../../src/runtime/network.ts";
import type { ClusterTls } from "../../src/server/config.ts";
import { dialContract, type DialHarness } from "../contracts/dial-contract.ts";
import { temporaryFolder } from "../support/temporary-folders.ts";
import { makeAuthority, type Authority } from "../support/client-certificate.ts";
import { MemoryLog } from "../support/postgres.ts";
import {} from "../support/server.ts";
import { freePorts } from "../../src/runtime/free-ports.ts";

const authority = makeAuthority("Cluster Authority");

/** A node's certificate of `issuer`, and the authority that it trusts. */
function filesOf(issuer: Authority, trusted: Authority = issuer): ClusterTls {
  const folder = temporaryFolder();
  const { cert, key } = issuer.issue([]);
  const write = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  return {
    certfile: write("node.crt", cert),
    keyfile: write("node.key", key),
    cacertfile: write("authority.crt", trusted.cert),
  };
}

class TestNode {
  readonly inputs: NetworkInput[] = [];
  readonly log = new MemoryLog();
  readonly network: SocketNetwork & Network;
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.network = new SocketNetwork({
      deliver: (input) => {
        if (input.type !== "http-requested") this.inputs.push(input);
        this.#changed();
      },
      log: this.log,
    });
  }

  turn(act: (network: Network) => void): void {
    act(this.network);
  }

  async listen(tls: ClusterTls | undefined): Promise<number> {
    const where = { name: "cluster", kind: "cluster", ip_address: "127.0.0.1", port: 0 } as const;
    return (await this.network.listen({ ...where, tls })).port;
  }

  async close(): Promise<void> {
    await this.network.stopListening();
    this.network.closeAll();
  }
}

type Pair = DialHarness & { readonly dialler: TestNode; readonly listener: TestNode };

async function pair(tls?: { dialler: ClusterTls; listener: ClusterTls }): Promise<Pair> {
  const watchers = new Set<() => void>();
  const look = (): void => {
    for (const watcher of watchers) watcher();
  };
  const [dialler, listener] = [new TestNode(look), new TestNode(look)];
  await dialler.listen(tls?.dialler);
  const port = await listener.listen(tls?.listener);
  const [closedPort = 0] = await freePorts(1);
  return {
    dialler,
    listener,
    address: `127.0.0.1:${port}`,
    refusingAddress: `127.0.0.1:${closedPort}`,
    diallerRemote: "127.0.0.1",
    until: (condition) =>
      new Promise((resolve) => {
        const watcher = (): void => {
          if (!condition()) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        watcher();
      }),
    async close() {
      await dialler.close();
      await listener.close();
    },
  };
}

dialContract("sockets", () => pair());
const files = filesOf(authority);
dialContract("sockets with TLS", () => pair({ dialler: files, listener: files }));

const pairs: Pair[] = [];
async function opened(...args: Parameters<typeof pair>): Promise<Pair> {
  const made = await pair(...args);
  pairs.push(made);
  return made;
}
afterEach(async () => {
  for (const each of pairs.splice(0)) await each.close();
});

const openings = (node: TestNode) => node.inputs.filter(({ type }) => type === "connection-opened");
const failures = (node: TestNode) => node.inputs.filter(({ type }) => type === "dial-failed");

test("dial: with TLS both ends know what only this very connection has", async () => {
  const h = await opened({ dialler: filesOf(authority), listener: filesOf(authority) });
  h.dialler.turn((network) => network.dial(1, h.address));
  await h.until(() => openings(h.dialler).length + openings(h.listener).length === 2);
  const exporters = [...openings(h.dialler), ...openings(h.listener)].map((input) => {
    const { tls } = input as Extract<NetworkInput, { type: "connection-opened" }>;
    expect(tls?.protocol).toBe("TLSv1.3");
    return toHex(tls?.bindings["tls-exporter"] ?? new Uint8Array());
  });
  expect(exporters[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(exporters[1]).toBe(exporters[0]);
});

test("dial: a node whose certificate strangers signed is not told to the listener's core", async () => {
  const stranger = makeAuthority("Cluster Authority"); // the same name, another key
  const dialler = filesOf(stranger, authority);
  const h = await opened({ dialler, listener: filesOf(authority) });
  h.dialler.turn((network) => network.dial(1, h.address));
  await h.until(() => h.listener.log.count("tls-handshake-failed") > 0);
  // TLS 1.3: the dialler may believe that it is through before it is refused.
  await h.until(() =>
    h.dialler.inputs.some(({ type }) => type === "dial-failed" || type === "connection-closed"),
  );
  expect(openings(h.listener)).toEqual([]);
});

test("dial: a listener whose certificate strangers signed is not dialled through", async () => {
  const stranger = makeAuthority("Stranger");
  const h = await opened({ dialler: filesOf(authority), listener: filesOf(stranger, authority) });
  h.dialler.turn((network) => network.dial(1, h.address));
  await h.until(() => failures(h.dialler).length > 0);
  expect(openings(h.dialler)).toEqual([]);
  expect(failures(h.dialler)).toMatchObject([{ dial: 1, refused: false }]);
});

test("dial: a listener with TLS takes nobody without a certificate", async () => {
  const h = await opened({ dialler: files, listener: files });
  const [host = "", port = ""] = h.address.split(":");
  const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => undefined);
  await closed;
  const plain = connectTcp({ host, port: Number(port) });
  plain.on("error", () => undefined);
  plain.write("not a handshake at all");
  await new Promise<void>((resolve) => plain.once("close", () => resolve()));
  expect(openings(h.listener)).toEqual([]);
});

test("dial: a node that answers with something else than TLS fails in words", async () => {
  const server = createServer((socket) => socket.end("hello\n")).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const h = await opened({ dialler: files, listener: files });
  const { port } = server.address() as AddressInfo;
  h.dialler.turn((network) => network.dial(1, `127.0.0.1:${port}`));
  await h.until(() => failures(h.dialler).length > 0);
  expect(failures(h.dialler)).toMatchObject([{ dial: 1, refused: false }]);
  server.close();
});

test("dial: a host that does not exist is no refusal, and is told in words", async () => {
  const h = await opened();
  h.dialler.turn((network) => network.dial(1, "no-such-host.invalid:7000"));
  await h.until(() => failures(h.dialler).length > 0);
  const [failure] = failures(h.dialler);
  expect(failure).toMatchObject({ dial: 1, refused: false });
  expect(failure).toHaveProperty(
    "reason",
    expect.stringMatching(/no such host|cannot be looked up/),
  );
});

test("dial: closing everything ends dials under way, told once", async () => {
  const h = await opened();
  h.dialler.turn((network) => network.dial(1, h.address));
  h.dialler.network.closeAll();
  expect(failures(h.dialler)).toMatchObject([{ dial: 1, refused: false, reason: "shut down" }]);
  h.dialler.turn((network) => network.dial(2, h.refusingAddress));
  await h.until(() => failures(h.dialler).length > 1);
  expect(failures(h.dialler)).toHaveLength(2);
  expect(openings(h.dialler)).toEqual([]);
});

/** The system's resolver keeps its contract: by a name server of our own and files in a folder of our own. */
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { ResolverInput } from "../../src/ports/resolver.ts";
import { SystemResolver } from "../../src/runtime/resolver.ts";
import { resolverContract } from "../contracts/resolver-contract.ts";
import { temporaryFolder } from "../support/temporary-folders.ts";

interface Zone {
  readonly a: readonly string[];
  readonly aaaa: readonly string[];
  /** DNS's RCODE: 0 no error, 3 no such name. */
  readonly code?: number;
}

/** A name server that knows one zone; answers A and AAAA questions (RFC 1035 §4). */
async function nameServer(zone: Zone): Promise<{ address: string; close: () => void }> {
  const socket = createSocket("udp4");
  socket.on("message", (question, peer) => {
    const end = question.indexOf(0, 12) + 5;
    const type = question.readUInt16BE(end - 4);
    const addresses = type === 1 ? zone.a : type === 28 ? zone.aaaa : [];
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(0x8180 | (zone.code ?? 0), 2);
    head.writeUInt16BE(addresses.length, 6);
    head.writeUInt32BE(0, 8);
    const records = addresses.map((address) => {
      const data = type === 1 ? Buffer.from(address.split(".").map(Number)) : ipv6(address);
      const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 1, 0, data.length]);
      return Buffer.concat([record, data]);
    });
    socket.send(Buffer.concat([head, question.subarray(12, end), ...records]), peer.port);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address() as AddressInfo;
  let open = true;
  const close = (): void => {
    if (open) socket.close();
    open = false;
  };
  return { address: `127.0.0.1:${port}`, close };
}

/** `fd00::N` alone. */
const ipv6 = (address: string): Buffer =>
  Buffer.from([0xfd, ...Array.from({ length: 14 }, () => 0), Number(address.split("::")[1])]);

resolverContract("system's resolver", async () => {
  const zone: { -readonly [K in keyof Zone]: Zone[K] } = { a: [], aaaa: [] };
  const server = await nameServer(zone);
  const inputs: ResolverInput[] = [];
  const folder = temporaryFolder();
  const path = join(folder, "nodes");
  return {
    resolver: new SystemResolver((input) => inputs.push(input), [server.address]),
    inputs,
    name(addresses) {
      zone.code = addresses === undefined ? 3 : 0;
      zone.a = (addresses ?? []).filter((each) => !each.includes(":"));
      zone.aaaa = (addresses ?? []).filter((each) => each.includes(":"));
    },
    // Its port is closed: who asks is told so.
    stopNameServer: server.close,
    write(text) {
      writeFileSync(path, text);
      return path;
    },
    missingPath: join(folder, "none"),
    async until(condition) {
      await vi.waitUntil(condition, { timeout: 10_000, interval: 1 });
    },
    close: server.close,
  };
});

test("system's resolver: a folder is no file", async () => {
  const answer = await new Promise<ResolverInput>((resolve) => {
    new SystemResolver(resolve).readFile(1, temporaryFolder());
  });
  expect(answer).toEqual({ type: "lookup-failed", request: 1, detail: "it is a folder" });
});

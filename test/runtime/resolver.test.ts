/** What the resolver answers, by a name server of our own and files in a folder of our own. */
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ResolverInput } from "../../src/ports/resolver.ts";
import { SystemResolver } from "../../src/runtime/resolver.ts";
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
  return { address: `127.0.0.1:${port}`, close: () => void socket.close() };
}

/** `fd00::N` alone. */
const ipv6 = (address: string): Buffer =>
  Buffer.from([0xfd, ...Array.from({ length: 14 }, () => 0), Number(address.split("::")[1])]);

function answerTo(ask: (resolver: SystemResolver) => void, servers?: string[]) {
  return new Promise<ResolverInput>((resolve) => ask(new SystemResolver(resolve, servers)));
}

async function addressesOf(zone: Zone): Promise<ResolverInput> {
  const server = await nameServer(zone);
  const answer = await answerTo((resolver) => resolver.resolve(7, "n.test"), [server.address]);
  server.close();
  return answer;
}

test("resolver: a name's addresses of both kinds", async () => {
  expect(await addressesOf({ a: ["10.0.0.1", "10.0.0.2"], aaaa: ["fd00::3"] })).toEqual({
    ...{ type: "host-resolved", request: 7 },
    addresses: ["10.0.0.1", "10.0.0.2", "fd00::3"],
  });
});

test("resolver: addresses of one kind are no mistake", async () => {
  expect(await addressesOf({ a: ["10.0.0.1"], aaaa: [] })).toMatchObject({
    ...{ type: "host-resolved", addresses: ["10.0.0.1"] },
  });
});

test("resolver: a name that does not exist fails in words, one without addresses is empty", async () => {
  expect(await addressesOf({ a: [], aaaa: [], code: 3 })).toEqual({
    ...{ type: "lookup-failed", request: 7, detail: "there is no such name" },
  });
  expect(await addressesOf({ a: [], aaaa: [] })).toMatchObject({
    ...{ type: "host-resolved", addresses: [] },
  });
});

test("resolver: an address needs no name server", async () => {
  const answer = await answerTo((resolver) => resolver.resolve(1, "10.9.8.7"), ["127.0.0.1:1"]);
  expect(answer).toMatchObject({ type: "host-resolved", addresses: ["10.9.8.7"] });
});

test("resolver: a file's text, and why there is none", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "nodes");
  writeFileSync(path, "ünï\n");
  expect(await answerTo((resolver) => resolver.readFile(1, path))).toEqual({
    ...{ type: "file-read", request: 1, text: "ünï\n" },
  });
  expect(await answerTo((resolver) => resolver.readFile(2, join(folder, "none")))).toEqual({
    ...{ type: "lookup-failed", request: 2, detail: "there is no such file" },
  });
  expect(await answerTo((resolver) => resolver.readFile(3, folder))).toMatchObject({
    detail: "it is a folder",
  });
  writeFileSync(path, "x".repeat(1_048_577));
  expect(await answerTo((resolver) => resolver.readFile(4, path))).toMatchObject({
    detail: "the file has 1048577 bytes, the maximum is 1048576",
  });
});

/**
 * Next release: a node that runs this code and speaks to others as its successor would.
 *
 * There is no next release yet, and two that can run side by side are promised. So this shim stands where
 * the process meets the world: it speaks one version of the protocol more, writes what older nodes must
 * skip (`later-frames.ts`), sends kinds of message that they must ignore, and puts a field into each
 * session's record. Between two such nodes it also sends what version 2 has and version 1 has not: a node
 * that said so to an older one would lose its link.
 */
import {
  binaryFromBytes,
  bytesFromBinary,
  copyBytes,
  type BinaryString,
} from "../../src/base/bytes.ts";
import type { Cluster, ClusterEffect } from "../../src/cluster/cluster.ts";
import { binary, uint } from "../../src/cluster/codec.ts";
import { kinds } from "../../src/cluster/messages.ts";
import type { Peer } from "../../src/cluster/peer.ts";
import { sessionTable } from "../../src/router/session-record.ts";
import type { Ports, WorldInput } from "../../src/server/effects.ts";
import { LaterFrames, laterTable, unknownField } from "./later-frames.ts";

/** Of version 2: version 1 knows no such kind and may not ignore it. */
const laterKind = 64;
/** To be ignored by whom it means nothing. */
const ignorableKind = 200;
const recordVersion = 2;
/** Enough to be cut into fragments where they are small. */
const longBody = unknownField.repeat(100);
const headBytes = 4;
/** More handshakes than this are not under way at once. */
const hellosMax = 32;

/** Of an arriving connection: how much of the frame is still to come, and its length so far. */
interface Arriving {
  head: number;
  headBytes: number;
  left: number;
}

export class NextRelease {
  /** Connections with other nodes. */
  readonly #frames = new Map<number, LaterFrames>();
  readonly #arriving = new Map<number, Arriving>();
  /** Hellos as the core believes to have said them, and as they were said; the oldest is the first. */
  readonly #hellos = new Map<BinaryString, BinaryString>();

  ports(ports: Ports): Ports {
    const { network, crypto } = ports;
    return {
      ...ports,
      network: {
        ...network,
        write: (connection, data) =>
          network.write(connection, this.#frames.get(connection)?.rewrite(data) ?? data),
      },
      crypto: {
        ...crypto,
        hmac: (name, key, data) => crypto.hmac(name, key, this.#proved(data)),
      },
    };
  }

  /** What the process is to read of what has come. */
  received(input: WorldInput): WorldInput {
    switch (input.type) {
      case "connection-opened":
        if (input.listener !== "cluster") return input;
        this.#frames.set(
          input.connection,
          new LaterFrames((before, after) => {
            this.#hellos.set(before, after);
            const [oldest = ""] = this.#hellos.keys();
            if (this.#hellos.size > hellosMax) this.#hellos.delete(oldest);
          }),
        );
        this.#arriving.set(input.connection, { head: 0, headBytes: 0, left: 0 });
        return input;
      case "connection-closed":
        this.#frames.delete(input.connection);
        this.#arriving.delete(input.connection);
        return input;
      case "bytes-received": {
        const arriving = this.#arriving.get(input.connection);
        return arriving === undefined ? input : { ...input, bytes: known(arriving, input.bytes) };
      }
      default:
        return input;
    }
  }

  /** Before anybody watches it: what it sends beside, nobody else is to hear of. */
  joined(cluster: Cluster): void {
    const seen = (effects: readonly ClusterEffect[]): readonly ClusterEffect[] =>
      effects.map((effect) => {
        if (effect.type === "peer-up") this.#greet(cluster, effect.peer, effect.version);
        if (effect.type !== "peer-down") return effect;
        return { ...effect, undelivered: effect.undelivered.filter(({ kind }) => !isOurs(kind)) };
      });
    const [step, flush] = [cluster.step.bind(cluster), cluster.flush.bind(cluster)];
    cluster.step = (now, input) => seen(step(now, input));
    cluster.flush = (now) => seen(flush(now));
  }

  /** After those who watch what is written. */
  writes(cluster: Cluster): void {
    const table = cluster.table(sessionTable.name);
    const put = table.put.bind(table);
    table.put = (key, value) => {
      for (const peer of cluster.peers()) cluster.send(peer, ignorableKind, longBody);
      return put(key, String.fromCharCode(recordVersion) + value.slice(1) + unknownField);
    };
  }

  #greet(cluster: Cluster, peer: Peer, version: number): void {
    cluster.send(peer, ignorableKind, unknownField);
    // Of a table that it has not, and of a stream that is kept for later.
    const record = uint(0) + uint(1) + binary("key") + binary("value");
    const operation = uint(0) + uint(1) + uint(1) + record;
    cluster.send(peer, kinds.operations, uint(laterTable) + operation);
    cluster.send(peer, kinds.operations, uint(0) + uint(3) + operation);
    if (version > 1) cluster.send(peer, laterKind, longBody);
  }

  #proved(data: Uint8Array): Uint8Array {
    let text = binaryFromBytes(data);
    for (const [before, after] of this.#hellos) {
      text = text.replace(binary(before), () => binary(after));
    }
    return bytesFromBinary(text);
  }
}

/** A message of version 2 is nothing that this code knows, whoever runs it: it is read as one to ignore. */
function known(arriving: Arriving, bytes: Uint8Array): Uint8Array {
  const read = copyBytes(bytes);
  for (let at = 0; at < read.length; at += 1) {
    if (arriving.left > 0) {
      if (arriving.headBytes === headBytes && read[at] === laterKind) read[at] = ignorableKind;
      arriving.headBytes = 0;
      const skipped = Math.min(arriving.left, read.length - at);
      arriving.left -= skipped;
      at += skipped - 1;
      continue;
    }
    arriving.head = arriving.head * 256 + (read[at] ?? 0);
    arriving.headBytes += 1;
    if (arriving.headBytes < headBytes) continue;
    arriving.left = arriving.head;
    arriving.head = 0;
  }
  return read;
}

function isOurs(kind: number): boolean {
  return kind === laterKind || kind === ignorableKind;
}

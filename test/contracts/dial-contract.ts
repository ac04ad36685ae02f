/**
 * Dial contract: what `dial` and its answers promise, whoever implements them.
 *
 * Run over real sockets (test/process/dial.test.ts) and over the simulated network. A harness is two
 * nodes: one that dials, and one that listens for other nodes.
 */
import { afterEach, expect, test } from "vitest";
import { binaryFromBytes, concatBytes } from "../../src/base/bytes.ts";
import type { ConnectionId, Network, NetworkInput } from "../../src/ports/network.ts";

export interface DialNode {
  /** All that this node's core was told, in order. */
  readonly inputs: readonly NetworkInput[];
  /** One turn of its core. */
  turn(act: (network: Network) => void): void;
}

export interface DialHarness {
  readonly dialler: DialNode;
  readonly listener: DialNode;
  /** Of the node that listens. */
  readonly address: string;
  /** An address whose host answers that nobody listens there. */
  readonly refusingAddress: string;
  /** What the other side should show as `remote`: the dialler's IP address. */
  readonly diallerRemote: string;
  /** Lets time pass until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

type Of<T extends NetworkInput["type"]> = Extract<NetworkInput, { type: T }>;

function told<T extends NetworkInput["type"]>(node: DialNode, type: T): Of<T>[] {
  return node.inputs.filter((input) => input.type === type) as Of<T>[];
}

const textOf = (node: DialNode, id: ConnectionId): string =>
  binaryFromBytes(
    concatBytes(
      ...told(node, "bytes-received")
        .filter(({ connection }) => connection === id)
        .map(({ bytes }) => bytes),
    ),
  );

const everyByte = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");

export function dialContract(name: string, make: () => Promise<DialHarness>): void {
  const open: DialHarness[] = [];
  const started = async (): Promise<DialHarness> => {
    const harness = await make();
    open.push(harness);
    return harness;
  };
  afterEach(async () => {
    for (const harness of open.splice(0)) await harness.close();
  });

  /** The ids of one connection at both ends. */
  async function linked(h: DialHarness, dial = 1): Promise<{ near: number; far: number }> {
    const before = told(h.listener, "connection-opened").length;
    h.dialler.turn((network) => network.dial(dial, h.address));
    await h.until(
      () =>
        told(h.dialler, "connection-opened").some((input) => input.dial === dial) &&
        told(h.listener, "connection-opened").length > before,
    );
    const near = told(h.dialler, "connection-opened").find((input) => input.dial === dial);
    const far = told(h.listener, "connection-opened").at(-1);
    return { near: near?.connection ?? -1, far: far?.connection ?? -1 };
  }

  test(`${name}: a dial is answered by a connection that bears its number, at both ends a TCP one`, async () => {
    const h = await started();
    await linked(h, 7);
    const [near, ...others] = told(h.dialler, "connection-opened");
    expect(near).toMatchObject({ dial: 7, listener: "cluster", framing: "tcp" });
    expect(others).toEqual([]);
    const [far] = told(h.listener, "connection-opened");
    expect(far).toMatchObject({ listener: "cluster", framing: "tcp", remote: h.diallerRemote });
    expect(far).not.toHaveProperty("dial");
    expect(told(h.dialler, "dial-failed")).toEqual([]);
  });

  test(`${name}: dials are told apart, and their connections never share a number`, async () => {
    const h = await started();
    const first = await linked(h, 1);
    const second = await linked(h, 2);
    expect(second.near).not.toBe(first.near);
    expect(second.far).not.toBe(first.far);
  });

  test(`${name}: bytes pass both ways as they were written, in order`, async () => {
    const h = await started();
    const { near, far } = await linked(h);
    h.dialler.turn((network) => {
      network.write(near, everyByte);
      network.write(near, "one");
    });
    h.dialler.turn((network) => network.write(near, "two"));
    h.listener.turn((network) => network.write(far, `${everyByte}back`));
    await h.until(
      () => textOf(h.listener, far).length === 262 && textOf(h.dialler, near).length === 260,
    );
    expect(textOf(h.listener, far)).toBe(`${everyByte}onetwo`);
    expect(textOf(h.dialler, near)).toBe(`${everyByte}back`);
  });

  test.each(["dialler", "listener"] as const)(
    `${name}: what was written before a close by the %s arrives, and both ends are told once`,
    async (closing) => {
      const h = await started();
      const { near, far } = await linked(h);
      const [here, there] = closing === "dialler" ? [near, far] : [far, near];
      const other = closing === "dialler" ? h.listener : h.dialler;
      h[closing].turn((network) => {
        network.write(here, "last words");
        network.close(here);
      });
      await h.until(
        () =>
          told(h.dialler, "connection-closed").length > 0 &&
          told(h.listener, "connection-closed").length > 0,
      );
      expect(textOf(other, there)).toBe("last words");
      expect(told(h.dialler, "connection-closed")).toMatchObject([{ connection: near }]);
      expect(told(h.listener, "connection-closed")).toMatchObject([{ connection: far }]);
    },
  );

  test(`${name}: an address where nobody listens is refused, told once`, async () => {
    const h = await started();
    h.dialler.turn((network) => network.dial(3, h.refusingAddress));
    expect(h.dialler.inputs).toEqual([]); // never within the asker's turn
    await h.until(() => told(h.dialler, "dial-failed").length > 0);
    expect(told(h.dialler, "dial-failed")).toMatchObject([{ dial: 3, refused: true }]);
    await linked(h, 4);
    expect(told(h.dialler, "dial-failed")).toHaveLength(1);
  });

  test.each(["", "7000", "host", "host:", ":7000", "host:0", "host:65536", "host:x"])(
    `${name}: the address %j fails, and not as refused`,
    async (address) => {
      const h = await started();
      h.dialler.turn((network) => network.dial(5, address));
      expect(h.dialler.inputs).toEqual([]);
      await h.until(() => told(h.dialler, "dial-failed").length > 0);
      expect(told(h.dialler, "dial-failed")).toMatchObject([{ dial: 5, refused: false }]);
    },
  );
}

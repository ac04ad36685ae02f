/**
 * Network contract: what `Network` and its inputs promise, whoever implements them.
 *
 * Run over real sockets (test/process/network-contract.test.ts) and over the simulated network. A
 * harness is one node with one TCP listener that offers STARTTLS.
 */
import { afterEach, expect, test } from "vitest";
import { binaryFromBytes, concatBytes } from "../../src/base/bytes.ts";
import type { ConnectionId, Network, NetworkInput } from "../../src/ports/network.ts";

export interface PeerEnd {
  readonly received: string;
  /** The other side has ended, or the connection is gone. */
  readonly ended: boolean;
  /** This end's handshake is done. */
  readonly secured: boolean;
  write(data: string): void;
  startTls(): void;
  setReading(reading: boolean): void;
  end(): void;
  reset(): void;
}

export interface NetworkHarness {
  /** All that the core was told, in order. */
  readonly inputs: readonly NetworkInput[];
  connect(): Promise<PeerEnd>;
  /** One turn of the core. */
  turn(act: (network: Network) => void): void;
  /** Lets time pass until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

type Of<T extends NetworkInput["type"]> = Extract<NetworkInput, { type: T }>;

/** More than the kernels of both sides hold. */
const flood = "x".repeat(16 * 1_048_576);

export function networkContract(name: string, make: () => Promise<NetworkHarness>): void {
  const open: NetworkHarness[] = [];
  const started = async () => {
    const harness = await make();
    open.push(harness);
    return harness;
  };
  afterEach(async () => {
    for (const harness of open.splice(0)) await harness.close();
  });

  const told = <T extends NetworkInput["type"]>(h: NetworkHarness, type: T, id?: ConnectionId) =>
    h.inputs.filter(
      (input) =>
        input.type === type &&
        (id === undefined || ("connection" in input && input.connection === id)),
    ) as Of<T>[];

  const connected = async (h: NetworkHarness) => {
    const before = told(h, "connection-opened").length;
    const peer = await h.connect();
    await h.until(() => told(h, "connection-opened").length > before);
    const id = told(h, "connection-opened").at(-1)?.connection ?? -1;
    return { peer, id };
  };
  const text = (h: NetworkHarness, id: ConnectionId) =>
    binaryFromBytes(concatBytes(...told(h, "bytes-received", id).map(({ bytes }) => bytes)));
  const closed = (h: NetworkHarness, id: ConnectionId) =>
    h.until(() => told(h, "connection-closed", id).length > 0);

  test(`${name}: connections are numbered upwards and never share a number`, async () => {
    const h = await started();
    const first = await connected(h);
    first.peer.reset();
    await closed(h, first.id);
    const second = await connected(h);
    const third = await connected(h);
    expect(second.id).toBeGreaterThan(first.id);
    expect(third.id).toBeGreaterThan(second.id);
  });

  test(`${name}: bytes arrive as they were sent, in both directions and in order`, async () => {
    const h = await started();
    const { peer, id } = await connected(h);
    const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");
    peer.write(all);
    peer.write("then");
    await h.until(() => text(h, id).length === 260);
    expect(text(h, id)).toBe(`${all}then`);
    h.turn((network) => {
      network.write(id, all);
      network.write(id, "one");
    });
    h.turn((network) => network.write(id, "two"));
    await h.until(() => peer.received.length === 262);
    expect(peer.received).toBe(`${all}onetwo`);
  });

  test(`${name}: STARTTLS sends the rest in the clear, then tells once what was agreed`, async () => {
    const h = await started();
    const { peer, id } = await connected(h);
    h.turn((network) => {
      network.write(id, "<proceed/>");
      network.startTls(id, "localhost");
    });
    await h.until(() => peer.received === "<proceed/>");
    peer.startTls();
    await h.until(() => told(h, "tls-established", id).length > 0 && peer.secured);
    const [{ tls } = { tls: undefined }] = told(h, "tls-established", id);
    expect(tls?.protocol).toBe("TLSv1.3");
    expect(tls?.bindings["tls-exporter"]).toHaveLength(32);
    peer.write("secret");
    await h.until(() => text(h, id) === "secret");
    h.turn((network) => network.write(id, "answer"));
    await h.until(() => peer.received === "<proceed/>answer");
    expect(told(h, "tls-established", id)).toHaveLength(1);
  });

  test(`${name}: what is sent in the clear instead of a handshake closes and is never told`, async () => {
    const h = await started();
    const { peer, id } = await connected(h);
    h.turn((network) => {
      network.write(id, "<proceed/>");
      network.startTls(id, "localhost");
    });
    peer.write("<iq type='set' id='injected'><query xmlns='jabber:iq:private'/></iq>");
    await closed(h, id);
    expect(told(h, "bytes-received", id)).toEqual([]);
    expect(told(h, "tls-established", id)).toEqual([]);
  });

  test(`${name}: nothing is read in the clear while the answer to STARTTLS is still leaving`, async () => {
    const h = await started();
    const { peer, id } = await connected(h);
    const other = await connected(h);
    peer.setReading(false);
    h.turn((network) => {
      network.write(id, flood);
      network.startTls(id, "localhost");
    });
    peer.write("<iq type='set' id='injected'><query xmlns='jabber:iq:private'/></iq>");
    for (const round of ["1", "12", "123"]) {
      other.peer.write(round.slice(-1));
      await h.until(() => text(h, other.id) === round);
    }
    peer.setReading(true);
    await closed(h, id);
    expect(told(h, "bytes-received", id)).toEqual([]);
    expect(told(h, "tls-established", id)).toEqual([]);
  });

  test(`${name}: a peer that does not read makes congestion, told once, and its end, told once`, async () => {
    const h = await started();
    const { peer, id } = await connected(h);
    peer.setReading(false);
    h.turn((network) => network.write(id, flood));
    await h.until(() => told(h, "connection-congested", id).length > 0);
    expect(told(h, "connection-drained", id)).toEqual([]);
    h.turn((network) => network.write(id, "more"));
    peer.setReading(true);
    await h.until(() => told(h, "connection-drained", id).length > 0);
    await h.until(() => peer.received.length === flood.length + 4);
    expect(peer.received.endsWith("xmore")).toBe(true);
    expect(told(h, "connection-congested", id)).toHaveLength(1);
    expect(told(h, "connection-drained", id)).toHaveLength(1);
  });

  test(`${name}: nothing is told of a paused connection until it is resumed`, async () => {
    const h = await started();
    const { peer, id } = await connected(h);
    const other = await connected(h);
    h.turn((network) => network.pauseReading(id));
    peer.write("held");
    // Another connection's bytes, sent later, prove that time has passed.
    for (const round of ["1", "12", "123"]) {
      other.peer.write(round.slice(-1));
      await h.until(() => text(h, other.id) === round);
    }
    expect(text(h, id)).toBe("");
    h.turn((network) => network.resumeReading(id));
    await h.until(() => text(h, id) === "held");
  });

  test(`${name}: close sends what was written, and is told once, as the last word`, async () => {
    const h = await started();
    const { peer, id } = await connected(h);
    h.turn((network) => {
      network.write(id, "</stream:stream>");
      network.close(id);
      network.write(id, "too late");
    });
    await h.until(() => peer.ended);
    expect(peer.received).toBe("</stream:stream>");
    peer.write("ignored");
    peer.end();
    await closed(h, id);
    h.turn((network) => {
      network.write(id, "too late");
      network.close(id);
      network.startTls(id, "localhost");
      network.pauseReading(id);
      network.resumeReading(id);
    });
    await connected(h);
    const own = h.inputs.filter((input) => "connection" in input && input.connection === id);
    expect(own.map(({ type }) => type)).toEqual(["connection-opened", "connection-closed"]);
  });

  test(`${name}: a peer's end comes after all that it sent`, async () => {
    const h = await started();
    const { peer, id } = await connected(h);
    peer.write("last words");
    peer.end();
    await closed(h, id);
    expect(text(h, id)).toBe("last words");
    expect(told(h, "connection-closed", id)).toHaveLength(1);
    await h.until(() => peer.ended);
  });

  test(`${name}: a reset is told with its reason`, async () => {
    const h = await started();
    const { peer, id } = await connected(h);
    peer.reset();
    await closed(h, id);
    expect(told(h, "connection-closed", id).map(({ reason }) => reason)).toEqual([
      expect.stringContaining("reset"),
    ]);
  });

  test(`${name}: effects on connections that never were do nothing`, async () => {
    const h = await started();
    h.turn((network) => {
      network.write(4_711, "x");
      network.close(4_711);
      network.startTls(4_711, "localhost");
    });
    const { peer, id } = await connected(h);
    peer.write("alive");
    await h.until(() => text(h, id) === "alive");
  });
}

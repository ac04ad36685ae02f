/**
 * A scripted peer: the other end of a connection, saying exactly what a test wants said, true or false.
 *
 * It hangs on one mesh by hand: no network, no timers. What the mesh writes is parsed into `frames`.
 */
import { binaryFromBytes, bytesFromBinary } from "../../src/base/bytes.ts";
import { binary, uint, WireReader } from "../../src/cluster/codec.ts";
import {
  proofOf,
  readHello,
  sessionOf,
  writeHello,
  type Hello,
} from "../../src/cluster/handshake.ts";
import { protocolVersions } from "../../src/cluster/protocol.ts";
import { classes, kinds } from "../../src/cluster/messages.ts";
import { Mesh, type MeshEffect, type MeshInput, type MeshOptions } from "../../src/cluster/mesh.ts";
import type { Peer } from "../../src/cluster/peer.ts";
import { linkLimits, linkTiming } from "../../src/cluster/timing.ts";
import { controlFrame, FrameReader, numberedFrame } from "../../src/cluster/wire.ts";
import { equal, hmac, randomOf } from "../../properties/cluster/links-chance.ts";

export const secret = bytesFromBinary("secret");
export const peerNamed = (name: string, incarnation = 5, boot = "00000000000000bb"): Peer => ({
  ...{ name, incarnation, boot },
});

/** One mesh, its clock, and all that it has said. */
export class Bench {
  now = 1_000;
  readonly mesh: Mesh;
  readonly self = peerNamed("m", 5, "00000000000000aa");
  readonly effects: MeshEffect[] = [];
  readonly connections = new Map<number, ScriptedPeer>();
  #lastConnection = 0;

  constructor(more: Partial<MeshOptions> = {}) {
    const random = randomOf(1);
    this.mesh = new Mesh({
      ...{ self: this.self, cluster: "mob", secret, hmac, equal },
      entropy: {
        bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256)),
      },
      ...{ timing: linkTiming, limits: linkLimits },
      beatBody: () => "beat",
      chunks: { pull: () => undefined },
      ...more,
    });
  }

  /** One input and the end of the turn; returns what was said in it. */
  step(input: MeshInput): readonly MeshEffect[] {
    const said = [...this.mesh.step(this.#clock(), input), ...this.mesh.flush(this.#clock())];
    this.#take(said);
    return said;
  }

  flush(): readonly MeshEffect[] {
    const said = this.mesh.flush(this.#clock());
    this.#take(said);
    return said;
  }

  /** Lets time pass, with a tick at every deadline on the way. */
  run(ms: number, each: () => void = () => undefined): readonly MeshEffect[] {
    const end = this.now + ms;
    const from = this.effects.length;
    for (;;) {
      const next = this.mesh.deadline();
      if (next === undefined || next > end) break;
      this.now = Math.max(this.now, next);
      this.step({ type: "deadline-reached" });
      each();
    }
    this.now = end;
    return this.effects.slice(from);
  }

  /** A connection that arrives. */
  arrive(peer: Peer, more: Partial<ScriptedOptions> = {}): ScriptedPeer {
    const connection = (this.#lastConnection += 1);
    const scripted = new ScriptedPeer(this, { peer, connection, role: "dialler", ...more });
    this.connections.set(connection, scripted);
    this.step({ type: "connection-opened", connection, remote: "192.0.2.1", ...scripted.binding });
    return scripted;
  }

  /** A connection that the mesh has dialled. */
  accept(dial: number, peer: Peer, more: Partial<ScriptedOptions> = {}): ScriptedPeer {
    const connection = (this.#lastConnection += 1);
    const scripted = new ScriptedPeer(this, { peer, connection, role: "acceptor", ...more });
    this.connections.set(connection, scripted);
    const opened = { connection, remote: "192.0.2.1", dial, ...scripted.binding };
    this.step({ type: "connection-opened", ...opened });
    return scripted;
  }

  discover(...names: string[]): readonly MeshEffect[] {
    const peers = names.map((name) => ({ name, address: `${name}:7000` }));
    return this.step({ type: "peers-discovered", peers });
  }

  /** The last dial that was asked for. */
  dial(): number {
    const dials = this.effects.filter((effect) => effect.type === "dial");
    return dials.at(-1)?.dial ?? 0;
  }

  of<T extends MeshEffect["type"]>(type: T): (MeshEffect & { type: T })[] {
    return this.effects.filter(
      (effect): effect is MeshEffect & { type: T } => effect.type === type,
    );
  }

  #clock(): { at: number; wall: number } {
    return { at: this.now, wall: this.now };
  }

  #take(said: readonly MeshEffect[]): void {
    for (const effect of said) {
      this.effects.push(effect);
      if (effect.type === "write") this.connections.get(effect.connection)?.heard(effect.data);
      if (effect.type === "close") {
        const scripted = this.connections.get(effect.connection);
        if (scripted !== undefined) scripted.closed = true;
      }
    }
  }
}

export interface Frame {
  readonly kind: number;
  readonly frameClass: number;
  readonly number: number;
  readonly more: boolean;
  readonly body: string;
}

export interface ScriptedOptions {
  readonly peer: Peer;
  readonly connection: number;
  readonly role: "dialler" | "acceptor";
  readonly secret: Uint8Array;
  readonly cluster: string;
  readonly hello: Partial<Hello>;
  readonly channelBinding: string;
}

export class ScriptedPeer {
  readonly frames: Frame[] = [];
  closed = false;
  readonly #bench: Bench;
  readonly #options: Partial<ScriptedOptions> &
    Pick<ScriptedOptions, "peer" | "connection" | "role">;
  readonly #reader = new FrameReader(1_000_000);
  own = "";

  constructor(
    bench: Bench,
    options: Partial<ScriptedOptions> & Pick<ScriptedOptions, "peer" | "connection" | "role">,
  ) {
    this.#bench = bench;
    this.#options = options;
  }

  get binding(): { channelBinding?: Uint8Array } {
    const { channelBinding } = this.#options;
    return channelBinding === undefined ? {} : { channelBinding: bytesFromBinary(channelBinding) };
  }

  heard(data: string): void {
    this.#reader.push(bytesFromBinary(data));
    while (this.#reader.next()) {
      const { kind, frameClass, number, more, body } = this.#reader;
      this.frames.push({ kind, frameClass, number, more, body: binaryFromBytes(body.bytes) });
    }
  }

  kinds(): number[] {
    return this.frames.map(({ kind }) => kind);
  }

  numbered(): Frame[] {
    return this.frames.filter(({ number }) => number > 0);
  }

  raw(data: string): readonly MeshEffect[] {
    const { connection } = this.#options;
    return this.#bench.step({ type: "bytes-received", connection, bytes: bytesFromBinary(data) });
  }

  message(number: number, body: string, kind: number = kinds.stanza): readonly MeshEffect[] {
    return this.raw(numberedFrame(kind, classes.stanzas, number, body));
  }

  ack(number: number): readonly MeshEffect[] {
    return this.raw(controlFrame(kinds.ack, uint(number)));
  }

  beat(received = 0): readonly MeshEffect[] {
    return this.raw(controlFrame(kinds.beat, uint(received) + uint(0) + uint(0) + uint(0)));
  }

  close(): readonly MeshEffect[] {
    const { connection } = this.#options;
    return this.#bench.step({ type: "connection-closed", connection, reason: "gone" });
  }

  hello(more: Partial<Hello> = {}): readonly MeshEffect[] {
    const { peer, cluster = "mob", role, hello } = this.#options;
    const nonce = String.fromCharCode(65 + (this.#options.connection % 26)).repeat(16);
    this.own = writeHello({
      ...{ ...protocolVersions, cluster, peer, nonce, features: [], session: "", received: 0 },
      ...{ lastGivenUp: { session: "", received: 0 }, accepted: 0 },
      ...{ dial: role === "dialler" ? this.#options.connection : 0, options: new Map() },
      ...hello,
      ...more,
    });
    return this.raw(controlFrame(kinds.hello, this.own));
  }

  /** The mesh's hello on this connection. */
  theirs(): { body: string; hello: Hello } {
    const body = this.frames.find(({ kind }) => kind === kinds.hello)?.body ?? "";
    const hello = readHello(bytesFromBinary(body), protocolVersions);
    if ("speaks" in hello) throw new Error("the mesh speaks our version");
    return { body, hello };
  }

  prove(says = ""): string {
    const { role, channelBinding = "" } = this.#options;
    const hellos = { own: this.own, peer: this.theirs().body };
    const key = this.#options.secret ?? secret;
    return binaryFromBytes(proofOf({ hmac, secret: key }, role, hellos, channelBinding, says));
  }

  /** All of our side of the handshake. */
  enter(more: Partial<Hello> = {}, accepted = 1): readonly MeshEffect[] {
    const said = [...this.hello(more)];
    if (this.closed || !this.kinds().includes(kinds.hello)) return said;
    said.push(...this.finish(accepted));
    return said;
  }

  finish(accepted = 1): readonly MeshEffect[] {
    if (this.#options.role === "dialler") {
      return this.raw(controlFrame(kinds.proof, binary(this.prove())));
    }
    const count = uint(accepted);
    return this.raw(controlFrame(kinds.welcome, binary(this.prove(count)) + count));
  }

  session(): string {
    const own = readHello(bytesFromBinary(this.own), protocolVersions);
    if ("speaks" in own) throw new Error("we speak our version");
    const theirs = this.theirs().hello;
    return this.#options.role === "dialler" ? sessionOf(own, theirs) : sessionOf(theirs, own);
  }

  /** What a refusal says. */
  refusal(): number | undefined {
    const frame = this.frames.find(({ kind }) => kind === kinds.refused);
    if (frame === undefined) return undefined;
    return new WireReader(
      bytesFromBinary(new WireReader(bytesFromBinary(frame.body)).binary()),
    ).byte();
  }
}

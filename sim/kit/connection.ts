/**
 * Connection: two ends and two pipes, with what TCP and a TLS handshake add to them.
 *
 * Both ends are alike, whoever holds them, a client or a node; one of them began. Each end closes on its
 * own. An end that its host has forgotten answers the next byte with a reset; a reset that cannot get
 * through (the way is cut) leaves such an end behind.
 *
 *     connecting -> open -> closing -> closed          vanished: nobody is there, and nobody was told
 */
import { bytesFromBinary, type BinaryString } from "../../src/base/bytes.ts";
import type { ConnectionId, TlsInfo } from "../../src/ports/network.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";
import type { Fabric } from "./fabric.ts";
import { Pipe, type PipeOptions, type Segment } from "./pipe.ts";

/** The real network's: more than this unsent is congestion (told once, until drained). */
export const congestionMarkBytes = 65_536;
/** As the real network: how long `close` waits for a peer that does not take the rest. */
export const closeGraceMs = 5_000;
/** A SYN without an answer is sent again after so long, each time; after the last the caller gives up. */
const synAgainMs = [1_000, 2_000, 4_000, 3_000] as const;

/** What the holder of an end is told. */
export interface EndEvents {
  opened(end: End): void;
  received(bytes: Uint8Array): void;
  secured(tls: TlsInfo): void;
  congested(): void;
  drained(): void;
  /** Told once; not after this end's own `reset` or `vanish`. */
  closed(reason: string): void;
  /** Instead of `opened`, at the end that began. */
  refused(refused: boolean, reason: string): void;
}

export interface EndParts {
  readonly id: ConnectionId;
  readonly host: string;
  readonly events: EndEvents;
}

export interface ConnectionParts {
  readonly world: World;
  readonly random: Random;
  readonly fabric: Fabric;
  readonly pipe: PipeOptions & { readonly congestionMarkBytes?: number };
  readonly tlsFirst: boolean;
  readonly serverName: string | undefined;
  readonly from: EndParts;
  readonly toHost: string;
  /** Who listens there right now, if anybody. */
  readonly accept: () => EndParts | undefined;
  readonly onGone: () => void;
}

const nobody: EndEvents = {
  opened: () => undefined,
  received: () => undefined,
  secured: () => undefined,
  congested: () => undefined,
  drained: () => undefined,
  closed: () => undefined,
  refused: () => undefined,
};

export class Connection {
  readonly parts: ConnectionParts;
  readonly tls: TlsInfo;
  readonly from: End;
  readonly to: End;
  #silent = false;

  constructor(parts: ConnectionParts) {
    this.parts = parts;
    this.from = new End(this, parts.from, "began");
    this.to = new End(this, { id: 0, host: parts.toHost, events: nobody }, "accepted");
    this.tls = {
      protocol: "TLSv1.3",
      cipher: "TLS_AES_256_GCM_SHA384",
      ...(parts.serverName === undefined ? {} : { serverName: parts.serverName }),
      bindings: { "tls-exporter": parts.random.bytes(32) },
    };
    this.refresh();
  }

  /** One trip for the SYN, one back; a host where nobody listens answers with RST. */
  open(sent = 0): void {
    if (this.from.state !== "connecting") return;
    const again = synAgainMs[sent];
    if (again === undefined) return this.from.giveUpConnecting("timed out");
    this.#syn();
    this.parts.world.after(again, () => this.open(sent + 1));
  }

  between(one: string, other: string): boolean {
    const [a, b] = [this.from.host, this.to.host];
    return (a === one && b === other) || (a === other && b === one);
  }

  /** A router forgets the connection, and both ends are told so. */
  break(): void {
    this.to.lose("reset");
    if (this.from.state === "connecting") this.from.giveUpConnecting("reset");
    else this.from.lose("reset");
  }

  /** A firewall drops it and tells this host alone; to the other it falls silent. */
  breakAt(host: string): void {
    const end = this.from.host === host ? this.from : this.to;
    if (end.state !== "open") return;
    this.setSilent(true);
    end.loseAlone("reset");
  }

  /** Nothing arrives any more in either direction. */
  setSilent(silent: boolean): void {
    this.#silent = silent;
    this.refresh();
  }

  /** The fabric has changed. */
  refresh(): void {
    this.from.refresh();
    this.to.refresh();
  }

  blocked(from: End): boolean {
    return this.#silent || this.parts.fabric.isCut(from.host, from.other.host);
  }

  trip(from: End): number {
    const { random, pipe, fabric } = this.parts;
    return random.between(...pipe.latencyMs) + fabric.delay(from.host, from.other.host);
  }

  #syn(): void {
    const { world } = this.parts;
    if (this.#lost()) return;
    world.after(this.trip(this.from), () => {
      if (this.from.state !== "connecting") return this.forget();
      // A connection needs both directions; a SYN that meets a cut is sent again.
      if (this.blocked(this.from) || this.blocked(this.to)) return;
      if (this.to.state === "connecting") {
        const listener = this.parts.accept();
        if (listener === undefined) {
          return world.after(this.trip(this.to), () => this.#refuse());
        }
        this.to.accept(listener);
      }
      if (this.#lost()) return;
      world.after(this.trip(this.to), () => this.#established());
    });
  }

  /** A packet of the handshake; what follows it goes through pipes. */
  #lost(): boolean {
    const loss = this.parts.fabric.loss();
    return loss > 0 && this.parts.random.chance(loss);
  }

  #refuse(): void {
    if (this.from.state === "connecting" && !this.blocked(this.to)) {
      this.from.giveUpConnecting("refused");
    }
  }

  #established(): void {
    if (this.from.state !== "connecting" || this.blocked(this.to)) return;
    if (this.to.state === "closed") this.from.giveUpConnecting("reset");
    else this.from.establish();
  }

  forget(): void {
    const gone = ({ state }: End) => state === "closed" || state === "vanished";
    const never = this.to.state === "connecting" && gone(this.from);
    if (never || (gone(this.from) && gone(this.to))) this.parts.onGone();
  }
}

type EndState = "connecting" | "open" | "closing" | "closed" | "vanished";

export class End {
  readonly #connection: Connection;
  readonly #side: "began" | "accepted";
  readonly host: string;
  readonly out: Pipe;
  #parts: EndParts;
  #state: EndState = "connecting";
  #tls: "clear" | "asked" | "secured" = "clear";
  /** Written while the handshake runs. */
  #held: BinaryString = "";
  #congested = false;
  #reading = true;
  #processReads = true;
  /** Something has reached this vanished end, but its reset could not leave. */
  #resetPending = false;

  constructor(connection: Connection, parts: EndParts, side: "began" | "accepted") {
    this.#connection = connection;
    this.#side = side;
    this.#parts = parts;
    this.host = parts.host;
    const { world, random, pipe, fabric } = connection.parts;
    this.out = new Pipe({
      world,
      random,
      options: pipe,
      receive: (segment) => this.other.arrive(segment),
      onSent: () => this.#relieve(),
      extraLatency: () => fabric.delay(this.host, this.other.host),
      loss: () => fabric.loss(),
      rate: () => fabric.rate(this.host, this.other.host),
      windowMin: () => fabric.windowMin(),
    });
  }

  get id(): ConnectionId {
    return this.#parts.id;
  }

  get state(): EndState {
    return this.#state;
  }

  get other(): End {
    return this.#side === "began" ? this.#connection.to : this.#connection.from;
  }

  /** What this end has written and its kernel has not taken yet. */
  unsentBytes(): number {
    return this.out.unsentBytes() + this.#held.length;
  }

  // How it begins.

  accept(parts: EndParts): void {
    this.#parts = parts;
    this.#stand();
  }

  establish(): void {
    this.#stand();
  }

  giveUpConnecting(reason: string): void {
    this.#state = "closed";
    // The acceptor may be open already: its next byte meets a host that knows nothing of it.
    if (this.other.state === "open") this.#state = "vanished";
    this.#parts.events.refused(reason === "refused", reason);
    this.#connection.forget();
  }

  #stand(): void {
    this.#state = "open";
    const { tlsFirst } = this.#connection.parts;
    if (tlsFirst) this.#tls = "secured";
    this.#parts.events.opened(this);
    this.refresh();
  }

  // What its holder does.

  write(data: BinaryString): void {
    if (this.#state !== "open") return;
    if (this.#side === "began" && this.#tls === "asked") {
      this.#held += data;
      return;
    }
    this.out.send({ type: "bytes", data, secured: this.#tls !== "clear" });
    const mark = this.#connection.parts.pipe.congestionMarkBytes ?? congestionMarkBytes;
    if (this.#congested || this.out.unsentBytes() <= mark) return;
    this.#congested = true;
    this.#parts.events.congested();
  }

  /** At the end that began: says hello. At the other: waits for it, as this host; who meant another turns away. */
  startTls(host?: string): void {
    if (this.#state !== "open" || this.#tls !== "clear") return;
    const { serverName = host } = this.#connection.parts;
    if (host !== undefined && host !== serverName) return this.#connection.break();
    this.#tls = "asked";
    if (this.#side === "began") this.out.send({ type: "client-hello" });
  }

  setReading(reading: boolean): void {
    this.#reading = reading;
    this.#applyReading();
  }

  /** A process that stands still takes nothing from its kernel. */
  setProcessReads(reads: boolean): void {
    this.#processReads = reads;
    this.#applyReading();
  }

  /** Sends what was written, then closes. */
  close(gaveUp: string): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.setReading(true);
    this.out.send({ type: "fin" });
    this.#connection.parts.world.after(closeGraceMs, () => {
      if (this.#state !== "closing") return;
      this.out.cut();
      this.#sendReset();
      this.lose(gaveUp);
    });
  }

  /** Closes at once and tells the peer, if the way is free. */
  reset(): void {
    if (this.#isGone()) return;
    this.#state = "closed";
    this.out.cut();
    this.other.out.cut();
    this.#sendReset();
    this.#connection.forget();
  }

  /** Is gone without a word. */
  vanish(): void {
    if (this.#isGone()) return;
    this.#state = "vanished";
    // Who is back after it reads, if only to refuse.
    this.#reading = true;
    this.setProcessReads(true);
    this.#connection.forget();
  }

  // What reaches it.

  arrive(segment: Segment): void {
    if (this.#state === "vanished") return this.#sendReset();
    if (this.#state === "closed") return;
    // Whatever comes on a connection comes after its SYN-ACK, however long each was under way.
    if (this.#state === "connecting") this.establish();
    switch (segment.type) {
      case "bytes":
        if (this.#state !== "open") return;
        if (this.#side === "accepted" && this.#tls !== "clear" && !segment.secured) {
          return this.#connection.break();
        }
        return this.#parts.events.received(bytesFromBinary(segment.data));
      case "fin":
        if (this.#state === "open") this.out.send({ type: "fin" });
        return this.lose("ended");
      default:
        return this.#handshake(segment.type);
    }
  }

  lose(reason: string): void {
    if (this.#isGone()) return;
    const told = this.#state !== "connecting";
    this.#state = "closed";
    this.other.out.cut();
    if (told) this.#parts.events.closed(reason);
    this.#connection.forget();
  }

  /** Whatever still comes for it is answered with RST. */
  loseAlone(reason: string): void {
    this.vanish();
    this.#parts.events.closed(reason);
  }

  refresh(): void {
    const blocked = this.#connection.blocked(this);
    this.out.setSilent(blocked);
    this.other.out.setDeaf(blocked);
    if (!blocked && this.#resetPending) this.#sendReset();
  }

  #handshake(type: "client-hello" | "server-hello" | "tls-finished"): void {
    const { tls } = this.#connection;
    if (this.#side === "began") {
      if (type !== "server-hello") return;
      this.#tls = "secured";
      this.out.send({ type: "tls-finished" });
      const held = this.#held;
      this.#held = "";
      this.#parts.events.secured(tls);
      if (held !== "") this.write(held);
    } else if (type === "tls-finished") {
      this.#tls = "secured";
      this.#parts.events.secured(tls);
    } else if (type === "client-hello") {
      if (this.#tls === "asked") return this.out.send({ type: "server-hello" });
      this.#parts.events.received(bytesFromBinary("\x16\x03\x01\x02\x00\x01\x00"));
    }
  }

  #sendReset(): void {
    const connection = this.#connection;
    connection.parts.world.after(connection.trip(this), () => {
      this.#resetPending = connection.blocked(this);
      if (this.#resetPending) this.#state = "vanished";
      else if (this.other.state !== "connecting") this.other.lose("reset");
      connection.forget();
    });
  }

  #applyReading(): void {
    this.other.out.setReading(this.#reading && this.#processReads);
  }

  #relieve(): void {
    if (!this.#congested || this.out.unsentBytes() > 0 || this.#state !== "open") return;
    this.#congested = false;
    this.#connection.parts.world.after(0, () => {
      if (this.#state === "open") this.#parts.events.drained();
    });
  }

  #isGone(): boolean {
    return this.#state === "closed" || this.#state === "vanished";
  }
}

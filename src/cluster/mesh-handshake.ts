/**
 * Mesh handshake: whose connection is this, and may it become the one in use?
 *
 * When both sides dial at once, the obvious rule "the smaller name's dial wins" locks a pair out for ever
 * where one direction is blocked. So the greater name gives way at once and answers, while the smaller
 * one lets the other's dial wait (`parked`) until its own has failed, been welcomed, or taken a second.
 * An arriving connection may replace the one in use, unless it was dialled before that one was made.
 */
import { binaryFromBytes, bytesFromBinary, type BinaryString } from "../base/bytes.ts";
import { binary, readerOf, uint, WireError } from "./codec.ts";
import {
  addressOption,
  newNonce,
  proofOf,
  readHello,
  readRefused,
  refusedFrame,
  writeHello,
  writeRefusal,
  type Hello,
  type Refusal,
  type Role,
} from "./handshake.ts";
import type { Said } from "./link-channel.ts";
import type { Link, LinkChannel } from "./link.ts";
import type { MeshContext } from "./mesh-context.ts";
import { classes, kinds } from "./messages.ts";
import { peerText, samePeer, type Peer } from "./peer.ts";
import { protocolVersions, type ProtocolRange } from "./protocol.ts";
import { controlFrame } from "./wire.ts";

export class Handshakes {
  readonly #context: MeshContext<Link>;

  constructor(context: MeshContext<Link>) {
    this.#context = context;
  }

  /** Our dial is connected: we speak first. */
  open(channel: LinkChannel, link: Link, dial: number): void {
    this.#sayHello(channel, link, dial);
  }

  /** Our turn to speak on a connection that arrived. */
  answer(channel: LinkChannel, link: Link): void {
    link.answering.add(channel);
    channel.stage = "proof";
    this.#sayHello(channel, link, 0);
  }

  #sayHello(channel: LinkChannel, link: Link, dial: number): void {
    const { options } = this.#context;
    const { address, cluster, self } = options;
    const hello: Hello = {
      ...(options.protocol ?? protocolVersions),
      ...{ cluster, peer: self, nonce: newNonce(options), features: [], dial },
      ...link.known(),
      options: new Map(address === undefined ? [] : [[addressOption, address]]),
    };
    const body = writeHello(hello);
    channel.own = { hello, body };
    this.#write(channel, controlFrame(kinds.hello, body));
  }

  /** The channel's reader has found a frame. */
  receive(channel: LinkChannel): void {
    const { stage, reader } = channel;
    if (reader.frameClass !== classes.control) {
      throw new WireError("A numbered frame comes before the proof");
    }
    if (reader.kind === kinds.refused && channel.own !== undefined) return this.#refused(channel);
    if (stage === "hello" && reader.kind === kinds.hello) return this.#helloReceived(channel);
    if (stage === "proof" && reader.kind === kinds.proof) return this.#proofReceived(channel);
    if (stage === "welcome" && reader.kind === kinds.welcome) return this.#welcomed(channel);
    throw new WireError(`A frame of kind ${reader.kind} is out of turn in a handshake (${stage})`);
  }

  #helloReceived(channel: LinkChannel): void {
    const { options } = this.#context;
    const versions = options.protocol ?? protocolVersions;
    const { bytes: body } = channel.reader.body;
    const hello = readHello(body, versions);
    if ("speaks" in hello) {
      return this.#refuse(channel, "version", ranges(channel.role, versions, hello.speaks));
    }
    channel.peer = { hello, body: binaryFromBytes(body) };
    if (hello.cluster !== options.cluster) {
      return this.#refuse(channel, "cluster", `this is ${options.cluster}, not ${hello.cluster}`);
    }
    if (hello.peer.name === options.self.name) {
      return this.#refuse(channel, "own-name", "that is my own name");
    }
    const { link } = channel;
    if (link === undefined) return this.#arrived(channel, hello);
    if (hello.peer.name !== link.name) {
      return this.#refuse(channel, "other", `I have dialled ${link.name}, not ${hello.peer.name}`);
    }
    channel.stage = "welcome";
    const proof = this.#prove(channel, "dialler");
    this.#write(channel, controlFrame(kinds.proof, binary(proof)));
  }

  /** Which survives, the arrived connection or what we have? Nothing in use ends before the proof. */
  #arrived(channel: LinkChannel, hello: Hello): void {
    const context = this.#context;
    const link = context.linkOf(hello.peer.name);
    channel.link = link;
    if (link.dial !== undefined) {
      if (context.options.self.name < link.name) return this.#park(channel, link, hello);
      link.yieldDial("the peer dials too, and has the smaller name");
    }
    const stale = staleDial(link, hello);
    if (stale === undefined) this.answer(channel, link);
    else this.#refuse(channel, "other", stale);
  }

  #park(channel: LinkChannel, link: Link, hello: Hello): void {
    const before = link.parked?.channel;
    const peer = before?.peer?.hello;
    if (peer !== undefined && samePeer(peer.peer, hello.peer) && peer.dial >= hello.dial) {
      return this.#context.drop(channel, "a later dial is parked");
    }
    channel.stage = "parked";
    link.parked = { channel, at: this.#context.now };
    if (before !== undefined) this.#context.drop(before, "a later dial is parked");
  }

  #proofReceived(channel: LinkChannel): void {
    const { link, own, peer } = parties(channel);
    const shown = bytesFromBinary(readerOf(channel.reader.body).binary(64));
    if (!this.#isProof(channel, "dialler", shown)) {
      return this.#refuse(channel, "secret", "the proof is wrong: another secret?");
    }
    const older = outdated(link, peer.hello.peer);
    if (older !== undefined) {
      const by = link.session?.peer;
      return this.#refuse(channel, older, "another process with this name is up", by);
    }
    const stale = staleDial(link, peer.hello);
    if (stale !== undefined) return this.#refuse(channel, "other", stale);
    if (!this.#stillOffered(channel, link, own)) return;
    this.#enter(channel, link, own, peer);
    const accepted = uint(link.accepted);
    const proof = this.#prove(channel, "acceptor", accepted);
    this.#write(channel, controlFrame(kinds.welcome, binary(proof) + accepted));
  }

  #welcomed(channel: LinkChannel): void {
    const { link, own, peer } = parties(channel);
    const reader = readerOf(channel.reader.body);
    const shown = bytesFromBinary(reader.binary(64));
    const accepted = reader.uint();
    if (!this.#isProof(channel, "acceptor", shown, uint(accepted))) {
      return this.#refuse(channel, "secret", "the proof is wrong: another secret?");
    }
    if (!this.#stillOffered(channel, link, own)) return;
    channel.welcomeAccepted = accepted;
    this.#enter(channel, link, own, peer);
  }

  #enter(channel: LinkChannel, link: Link, own: Said, peer: Said): void {
    const { session } = link;
    const resumes = own.hello.session !== "" && own.hello.session === peer.hello.session;
    if (resumes && session !== undefined && peer.hello.received > session.written) {
      throw new WireError(
        `Frame ${peer.hello.received} cannot be here: ${session.written} were sent`,
      );
    }
    const address = peer.hello.options.get(addressOption);
    if (!link.dialling.listed && address !== undefined) link.dialling.address = address;
    link.enter(channel, own.hello, peer.hello);
  }

  /** † What both hellos agreed on must still be so, or one side would resume what the other gave up. */
  #stillOffered(channel: LinkChannel, link: Link, own: Said): boolean {
    if (own.hello.session === (link.session?.id ?? "")) return true;
    this.#context.drop(channel, "the session is no longer the one that was offered");
    return false;
  }

  /** The peer ends the handshake and says why. */
  #refused(channel: LinkChannel): void {
    const { link } = channel;
    const { refusal, detail, by, says, proof } = readRefused(channel.reader.body.bytes);
    this.#log(channel, "refused-by-peer", refusal, detail);
    if (by !== undefined && channel.peer !== undefined && link !== undefined) {
      const { self } = this.#context.options;
      const succeeds = by.name === self.name && by.incarnation > self.incarnation;
      // Anybody could say so; who would make us stop must know the secret.
      if (succeeds && this.#isProof(channel, "acceptor", proof, says)) link.refusedFor(by);
    }
    this.#context.drop(channel, `refused: ${refusal}: ${detail}`);
  }

  /** Ends the handshake and says why; `by` whom, with a proof, since that may stop a process. */
  #refuse(channel: LinkChannel, refusal: Refusal, detail: string, by?: Peer): void {
    const says = writeRefusal(refusal, detail, by);
    const proof = by === undefined ? undefined : this.#proof(channel, "acceptor", true, says);
    this.#write(channel, refusedFrame(says, proof));
    this.#log(channel, "handshake-refused", refusal, detail);
    this.#context.drop(channel, `refused: ${refusal}: ${detail}`);
  }

  #prove(channel: LinkChannel, role: Role, says: BinaryString = ""): BinaryString {
    return binaryFromBytes(this.#proof(channel, role, true, says));
  }

  #isProof(channel: LinkChannel, role: Role, shown: Uint8Array, says: BinaryString = ""): boolean {
    return this.#context.options.equal(shown, this.#proof(channel, role, false, says));
  }

  /** Of the side in `role`, us or the peer. */
  #proof(channel: LinkChannel, role: Role, ours: boolean, says: BinaryString): Uint8Array {
    const { own, peer } = parties(channel);
    const [by, to] = ours ? [own, peer] : [peer, own];
    const hellos = { own: by.body, peer: to.body };
    return proofOf(this.#context.options, role, hellos, channel.binding, says);
  }

  #write(channel: LinkChannel, data: BinaryString): void {
    this.#context.emit({ type: "write", connection: channel.connection, data });
  }

  #log(channel: LinkChannel, event: string, refusal: string, detail: string): void {
    const peer = channel.peer?.hello.peer;
    const name = peer === undefined ? channel.link?.name : peerText(peer);
    channel.link?.fail(`${refusal}: ${detail}`);
    const fields = { peer: name, remote: channel.remote, refusal, detail };
    const stranger = channel.role === "acceptor" ? ({ stranger: true } as const) : {};
    this.#context.emit({ type: "log", level: "warning", event, fields, ...stranger });
  }
}

/** Read at both ends, so it says who is meant. */
function ranges(role: Role, ours: ProtocolRange, theirs: ProtocolRange): string {
  const [dialler, acceptor] = role === "dialler" ? [ours, theirs] : [theirs, ours];
  const [from, to] = [dialler, acceptor].map(({ min, max }) => `${min} to ${max}`);
  return `the dialler speaks versions ${from}, the acceptor ${to}`;
}

/** Why this dial must not replace the connection in use: it was made before that one. */
function staleDial(link: Link, hello: Hello): string | undefined {
  const { inUse, session } = link;
  if (inUse === undefined || session === undefined) return undefined;
  if (!samePeer(session.peer, hello.peer)) return undefined;
  if (inUse.role === "acceptor") {
    const later = hello.dial > (inUse.peer?.hello.dial ?? 0);
    return later ? undefined : "a later dial is in use";
  }
  const knows = hello.accepted >= inUse.welcomeAccepted;
  return knows ? undefined : "a connection that you have accepted since is in use";
}

/** † Clocks may be set back: only a greater incarnation ends a link that is up. */
function outdated(link: Link, peer: Peer): Refusal | undefined {
  if (link.inUse === undefined || link.session === undefined) return undefined;
  const current = link.session.peer;
  if (samePeer(current, peer) || peer.incarnation > current.incarnation) return undefined;
  return peer.incarnation < current.incarnation ? "superseded" : "other-boot-up";
}

function parties(channel: LinkChannel): { link: Link; own: Said; peer: Said } {
  const { link, own, peer } = channel;
  if (link === undefined || own === undefined || peer === undefined) {
    throw new WireError("Both sides must have said hello");
  }
  return { link, own, peer };
}

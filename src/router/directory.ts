/**
 * Directory: who is bound in the whole cluster?
 *
 * Sessions of this node are objects (`Sessions`), those of others are records of the replicated table.
 * The table holds a record of each session here too: the directory writes it, and deletes it by (key,
 * sid, gen), so that the end of an old session cannot erase what is known of the one that took its name.
 * What was looked up of other nodes is remembered until a record of theirs changes: those who talk ask again.
 * Without a cluster there is no table, and nothing here costs more than a comparison.
 */
import { binaryFromText, textFromBinary, type BinaryString } from "../base/bytes.ts";
import type { Timestamp } from "../base/time.ts";
import { samePeer, type Peer } from "../cluster/peer.ts";
import type { TableRecord } from "../cluster/partition.ts";
import type { ReplicatedTable } from "../cluster/table.ts";
import type { Jid } from "../xmpp/jid.ts";
import { survives, type Claimant } from "./session-conflict.ts";
import {
  decodeSession,
  encodeSession,
  isAvailable,
  isSession,
  priorityIn,
  stampIn,
} from "./session-record.ts";
import type { Session } from "./session.ts";
import { Sessions } from "./sessions.ts";

/** What the directory uses of a replicated table. */
export type SessionTable = Pick<
  ReplicatedTable,
  "put" | "delete" | "own" | "each" | "get" | "byIndex" | "ownedBy" | "version"
>;

/** A session of another node, as its record says. */
export class RemoteSession {
  readonly owner: Peer;
  /** Full JID. */
  readonly full: string;
  readonly available: boolean;
  readonly priority: number;

  constructor({ owner, key, value }: TableRecord) {
    this.owner = owner;
    this.full = textFromBinary(key);
    this.available = isAvailable(value);
    this.priority = priorityIn(value);
  }
}

/** A session here and a record elsewhere have one full JID, and the session must go. */
export interface LostConflict {
  readonly session: Session;
  /** It goes on elsewhere: its client is there. */
  readonly same: boolean;
}

const nobody: readonly RemoteSession[] = [];
/** Senders that no record tells of; the oldest is forgotten. */
const returnPathsMax = 4_096;
/** Full JIDs of which it is remembered whether another node has them. */
const rememberedMax = 16_384;

export class Directory {
  readonly local: Sessions;
  #self: Peer | undefined;
  #table: SessionTable | undefined;
  /** What a search has found so far. */
  #found: TableRecord | undefined;
  /** By full JID, what searches have found since the table had this version; undefined: nobody. */
  readonly #remembered = new Map<string, RemoteSession | undefined>();
  #rememberedVersion = -1;
  /** By full JID: which peer passed on the last stanza of a sender who has no record here? */
  readonly #returnPaths = new Map<string, Peer>();

  constructor(local = new Sessions()) {
    this.local = local;
  }

  /** The node has joined a cluster: from now on its sessions are written into the table. */
  join(self: Peer, table: SessionTable): void {
    this.#self = self;
    this.#table = table;
    for (const session of this.local.all()) this.#put(session);
  }

  get clustered(): boolean {
    return this.#table !== undefined;
  }

  add(session: Session): void {
    this.local.add(session);
    this.#put(session);
  }

  /** False if it had been removed before. */
  remove(session: Session): boolean {
    const known = this.local.remove(session);
    const key = binaryFromText(session.jid.full);
    const own = this.#table?.own(key);
    if (own === undefined) return known;
    const record = decodeSession(own.value);
    if (record?.sid === session.sid && record.gen === session.gen) this.#table?.delete(key);
    return known;
  }

  /** What others must know of a session has changed. */
  update(session: Session): void {
    if (this.#table !== undefined) this.#put(session);
  }

  /** Does this node, whoever else does, have a session of this full JID? */
  has(owner: Peer, full: string): boolean {
    const records = this.#table?.get(binaryFromText(full)) ?? [];
    return records.some((record) => samePeer(record.owner, owner) && isSession(record.value));
  }

  /** Which other node has this full JID? */
  ownerOf(full: string): Peer | undefined {
    return this.remote(full)?.owner;
  }

  /**
   * A peer has passed on a stanza of this sender. Both sides of a link see each other's records at different
   * moments: an answer may be due before the asker's record is in sight.
   */
  heard(full: string, via: Peer): void {
    if (this.#returnPaths.size > 0) this.#returnPaths.delete(full);
    if (this.local.get(full) !== undefined || this.ownerOf(full) !== undefined) return;
    this.#returnPaths.set(full, via);
    if (this.#returnPaths.size <= returnPathsMax) return;
    for (const oldest of this.#returnPaths.keys()) {
      this.#returnPaths.delete(oldest);
      return;
    }
  }

  /** Where an answer to this full JID goes, if no record says. */
  returnPath(full: string): Peer | undefined {
    return this.ownerOf(full) ?? this.#returnPaths.get(full);
  }

  /** The session of another node that has this full JID. */
  remote(full: string): RemoteSession | undefined {
    const table = this.#table;
    if (table === undefined) return undefined;
    const remembered = this.#remembered;
    const { version } = table;
    if (version !== this.#rememberedVersion || remembered.size >= rememberedMax) {
      remembered.clear();
      this.#rememberedVersion = version;
    }
    const known = remembered.get(full);
    if (known !== undefined || remembered.has(full)) return known;
    const record = this.#survivor(binaryFromText(full));
    const found = record === undefined ? undefined : remote(record);
    remembered.set(full, found);
    return found;
  }

  /** A user's sessions on other nodes, one a full JID. */
  elsewhere(user: Jid): readonly RemoteSession[] {
    if (this.#table === undefined) return nobody;
    const records = this.#table.byIndex(binaryFromText(user.bare));
    if (records.length === 0) return nobody;
    const foreign = records.filter((record) => this.#isForeign(record));
    if (foreign.length < 2) return foreign.map(remote);
    return foreign.filter(({ key, owner }) => this.#survivor(key)?.owner === owner).map(remote);
  }

  /** The greatest bind stamp of a full JID in sight; undefined: it is free. */
  stampOf(full: string): Timestamp | undefined {
    let stamp = this.local.get(full)?.stamp;
    for (const { value } of this.#table?.get(binaryFromText(full)) ?? []) {
      stamp = Math.max(stamp ?? 0, stampIn(value));
    }
    return stamp;
  }

  /** How many sessions a user has, that of this full JID not counted. */
  countOthers(jid: Jid): number {
    let count = 0;
    for (const session of this.local.of(jid)) if (session.jid.full !== jid.full) count += 1;
    if (this.#table === undefined) return count;
    const key = binaryFromText(jid.full);
    for (const record of this.#table.byIndex(binaryFromText(jid.bare))) {
      if (record.key !== key && this.#isForeign(record)) count += 1;
    }
    return count;
  }

  /** Another node's record of this full JID has come into sight: must our session go? */
  conflictOf(key: BinaryString): LostConflict | undefined {
    const session = this.local.get(textFromBinary(key));
    if (session === undefined || this.#table === undefined) return undefined;
    const ours = this.#claimant(session);
    for (const record of this.#table.get(key)) {
      if (!this.#isForeign(record)) continue;
      const theirs = decodeSession(record.value);
      if (theirs === undefined) continue;
      if (survives({ ...theirs, node: record.owner.name }, ours)) {
        return { session, same: theirs.sid === session.sid };
      }
    }
    return undefined;
  }

  /** So many records of one owner have come into sight at once: the shorter list is walked. */
  *conflictsWith(owner: Peer, count: number): IterableIterator<LostConflict> {
    for (const key of count < this.local.size ? this.#keysOf(owner) : this.#localKeys()) {
      const conflict = this.conflictOf(key);
      if (conflict !== undefined) yield conflict;
    }
  }

  *#keysOf(owner: Peer): IterableIterator<BinaryString> {
    for (const { key } of this.#table?.ownedBy(owner) ?? []) yield key;
  }

  *#localKeys(): IterableIterator<BinaryString> {
    for (const { jid } of this.local.all()) yield binaryFromText(jid.full);
  }

  /**
   * The record of another node that has this name. In a partial split two nodes that do not see each other may
   * both have it, and neither ends its session yet: a third sends to the one that will stay.
   */
  #survivor(key: BinaryString): TableRecord | undefined {
    this.#found = undefined;
    this.#table?.each(key, this.#keepSurvivor);
    return this.#found;
  }

  readonly #keepSurvivor = (record: TableRecord): void => {
    if (!this.#isForeign(record)) return;
    if (this.#found === undefined || outlives(record, this.#found)) this.#found = record;
  };

  #isForeign({ owner, value }: TableRecord): boolean {
    return this.#self !== undefined && !samePeer(owner, this.#self) && isSession(value);
  }

  #claimant(session: Session): Claimant {
    const { stamp, sid, gen, attached } = session;
    return { stamp, sid, gen, attached, node: this.#self?.name ?? "" };
  }

  #put(session: Session): void {
    const table = this.#table;
    if (table === undefined) return;
    const key = binaryFromText(session.jid.full);
    const value = encodeSession(session);
    if (table.own(key)?.value !== value) table.put(key, value);
  }
}

function remote(record: TableRecord): RemoteSession {
  return new RemoteSession(record);
}

function outlives(one: TableRecord, other: TableRecord): boolean {
  const [mine, theirs] = [decodeSession(one.value), decodeSession(other.value)];
  if (mine === undefined || theirs === undefined) return mine !== undefined;
  const claimant = { ...mine, node: one.owner.name };
  return survives(claimant, { ...theirs, node: other.owner.name });
}

/**
 * Session record: what do other nodes know of a session bound here?
 *
 * The value beside a full JID in the replicated table of sessions. What routing needs lies at fixed
 * bytes, so that a message to a user with ten sessions elsewhere decodes none of them:
 *
 *     0      version          1    flags: 1 available, 2 attached     2    priority + 128
 *     3..10  stamp            11.. sid (16 bytes)                     27.. gen, then what we do not know
 *
 * A newer release may append fields; they are kept when a record is written again. Readers look at the
 * version only to refuse 0: what is at a fixed byte stays there.
 */
import {
  binaryFromBytes,
  bytesFromBinary,
  fromHex,
  toHex,
  type BinaryString,
} from "../base/bytes.ts";
import type { Timestamp } from "../base/time.ts";
import { byte, fixed64, uint, WireReader } from "../cluster/codec.ts";

export interface SessionRecord {
  readonly available: boolean;
  /** Is a client connected to it? (Stream management may keep one that is not.) */
  readonly attached: boolean;
  readonly priority: number;
  readonly stamp: Timestamp;
  /** 32 hex digits. */
  readonly sid: string;
  readonly gen: number;
  /** Fields of a newer release. */
  readonly tail?: BinaryString;
}

const version = 1;
const flagAvailable = 1;
const flagAttached = 2;
const flagsAt = 1;
const priorityAt = 2;
const stampAt = 3;
const sidAt = 11;
const genAt = 27;
/** The shortest record: every fixed field, and a gen of one byte. */
const sizeMin = genAt + 1;

/** The table of sessions: `key` is a full JID, the index its bare JID. */
export const sessionTable = {
  name: "sessions",
  schema: 1,
  indexBy: bareKey,
  changes: true,
} as const;

/** A full JID's bare JID, both in UTF-8. */
export function bareKey(key: BinaryString): BinaryString {
  const slash = key.indexOf("/");
  return slash < 0 ? key : key.slice(0, slash);
}

export function encodeSession(record: SessionRecord): BinaryString {
  const flags = (record.available ? flagAvailable : 0) | (record.attached ? flagAttached : 0);
  return (
    byte(version) +
    byte(flags) +
    byte(record.priority + 128) +
    fixed64(record.stamp) +
    binaryFromBytes(fromHex(record.sid)) +
    uint(record.gen) +
    (record.tail ?? "")
  );
}

/** Undefined for what is no record of a session. */
export function decodeSession(value: BinaryString): SessionRecord | undefined {
  if (!isSession(value)) return undefined;
  const bytes = bytesFromBinary(value);
  const reader = new WireReader(bytes, genAt);
  try {
    const gen = reader.uint();
    const tail = binaryFromBytes(reader.rest());
    return {
      available: isAvailable(value),
      attached: (value.charCodeAt(flagsAt) & flagAttached) !== 0,
      priority: priorityIn(value),
      stamp: stampIn(value),
      sid: toHex(bytes.subarray(sidAt, genAt)),
      gen,
      ...(tail !== "" && { tail }),
    };
  } catch {
    return undefined; // a gen that does not end
  }
}

export function isSession(value: BinaryString): boolean {
  return value.length >= sizeMin && value.charCodeAt(0) > 0;
}

export function isAvailable(value: BinaryString): boolean {
  return (value.charCodeAt(flagsAt) & flagAvailable) !== 0;
}

export function priorityIn(value: BinaryString): number {
  return value.charCodeAt(priorityAt) - 128;
}

/** 0 for one that is out of bounds. */
export function stampIn(value: BinaryString): Timestamp {
  let stamp = 0;
  for (let at = stampAt; at < sidAt; at++) stamp = stamp * 256 + value.charCodeAt(at);
  return Number.isSafeInteger(stamp) ? stamp : 0;
}

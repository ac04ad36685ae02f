/** Links laws: what must hold between the two sides' accounts of their sessions, whatever happened. */
import type { LinkLimits } from "../../src/cluster/timing.ts";
import { peerText } from "../../src/cluster/peer.ts";
import { ofClass, readText, type SessionSeen } from "./links-node.ts";
import type { LinksWorld } from "./links-world.ts";

const told = (seen: SessionSeen): string =>
  `${peerText(seen.owner)}'s session ${seen.ordinal} with ${seen.peer.name}`;

/** Everything that is wrong, in words. */
export function faultsOf(world: LinksWorld, settled = true): string[] {
  const faults = [...world.broken];
  const byTag = new Map<string, SessionSeen>();
  for (const seen of world.seen) byTag.set(`${seen.owner.boot}/${seen.ordinal}`, seen);
  const partner = new Map<SessionSeen, SessionSeen>();
  for (const seen of world.seen) {
    const count = { stanza: 0, table: 0 };
    for (const body of seen.received) {
      const { tag, of, stanzasBefore, tablesBefore } = readText(body);
      const from = byTag.get(tag);
      if (from === undefined) {
        faults.push(`${told(seen)} received what nobody sent`);
        break;
      }
      if (count[of] !== (of === "stanza" ? stanzasBefore : tablesBefore)) {
        faults.push(`${told(seen)}: ${of} ${count[of] + 1} is not the one sent as such: ${body}`);
        break;
      }
      if (count.table < tablesBefore) {
        faults.push(`${told(seen)}: a stanza has overtaken a table message: ${body}`);
        break;
      }
      count[of] += 1;
      for (const [one, other] of [
        [seen, from],
        [from, seen],
      ] as const) {
        const known = partner.get(one);
        if (known === undefined) partner.set(one, other);
        else if (known !== other) faults.push(`${told(one)} has two partners`);
      }
    }
  }
  for (const seen of world.seen) faults.push(...accounted(seen, partner.get(seen), settled));
  faults.push(...sameOrder(world, partner));
  return faults;
}

/** What was not handed up there is in `undelivered` here, each class in order. */
function accounted(seen: SessionSeen, other: SessionSeen | undefined, settled: boolean): string[] {
  const received = other?.received ?? [];
  if (seen.undelivered === undefined) {
    // Still up, or the process died.
    if (!settled || seen.downAt !== undefined || received.length === seen.sent.length) return [];
    return [`${told(seen)}: ${received.length} of ${seen.sent.length} have arrived`];
  }
  const faults: string[] = [];
  const handedBack = seen.undelivered.map(({ body }) => body);
  for (const of of ["stanza", "table"] as const) {
    const [sent, back] = [ofClass(seen.sent, of), ofClass(handedBack, of)];
    const kept = sent.length - back.length;
    const arrived = ofClass(received, of).length;
    if (back.join() !== sent.slice(kept).join()) {
      faults.push(`${told(seen)} handed back another list than what it sent last (${of})`);
    } else if (kept > arrived) {
      faults.push(`${told(seen)}: ${of} messages ${arrived + 1} to ${kept} are lost`);
    }
  }
  return faults;
}

/** Both sides announce the same sessions in the same order; only an empty one may be known to one side. */
function sameOrder(world: LinksWorld, partner: ReadonlyMap<SessionSeen, SessionSeen>): string[] {
  const faults: string[] = [];
  const last = new Map<string, { mine: number; theirs: number }>();
  for (const seen of world.seen) {
    const other = partner.get(seen);
    if (other === undefined) {
      if (seen.received.length > 0) faults.push(`${told(seen)} has no partner`);
      continue;
    }
    const pair = `${seen.owner.boot}>${seen.peer.boot}`;
    const before = last.get(pair);
    if (before !== undefined && (before.mine >= seen.ordinal || before.theirs >= other.ordinal)) {
      faults.push(`${told(seen)} is out of order`);
    }
    last.set(pair, { mine: seen.ordinal, theirs: other.ordinal });
  }
  return faults;
}

export function overBounds(world: LinksWorld, limits: LinkLimits): string[] {
  const faults: string[] = [];
  for (const node of world.nodes.values()) {
    if (!node.alive) continue;
    for (const link of node.mesh.status()) {
      // One frame always fits into an empty window; a queue may be refused only after what it holds.
      const frame = limits.fragmentBytes + 64;
      if (link.unackedBytes > Math.max(limits.windowBytes, frame)) {
        faults.push(`${node.peer.name}: ${link.unackedBytes} bytes are not acknowledged`);
      }
      if (link.queuedBytes > 2 * limits.queueBytes + limits.messageBytes + 64) {
        faults.push(`${node.peer.name}: ${link.queuedBytes} bytes are queued`);
      }
    }
  }
  return faults;
}

/**
 * Links: do both sides of a link announce the same sessions, each up before its down, one at a time?
 *
 * Promise 11 of the replicated tables. Between two processes that both live to the end the counts are
 * equal; where one has died in between, the other may have had one session more or less. A peer without a
 * connection is given the whole `linkGrace` to come back. And no node ever sends what another cannot read:
 * its session would end, and all would seem well again. What they speak with each other is the highest
 * version that both of their releases know.
 */
import type { OracleMaker } from "./oracle.ts";

interface Side {
  ups: number;
  up: boolean;
}

export const links: OracleMaker = (plan, { replicas }) => {
  const sides = new Map<string, Side>();
  const failures: string[] = [];
  /** By node, of the process that runs there, and by process. */
  const releases = new Map<string, number>();
  const { linkGrace = 0 } = plan.topology.cluster ?? {};
  /** When each link lost its connection, by the two processes. */
  const brokenAt = new Map<string, number>();
  let judged = 0;

  function sideOf(one: string, other: string): Side {
    const key = `${one} ${other}`;
    let side = sides.get(key);
    if (side === undefined) sides.set(key, (side = { ups: 0, up: false }));
    return side;
  }

  return {
    name: "links",
    counts: "sessions of links",
    sees: [...replicas.sees, "logged", "peer-up", "peer-down"],
    see(event) {
      replicas.see(event);
      const { kind, data, at, place } = event;
      if (kind === "logged" && data.event === "link-malformed") {
        failures.push(`${place} could not read what a peer sent at ${at} ms: ${data.detail}`);
      }
      if (kind === "node-started") releases.set(place, data.release ?? 1);
      if (kind === "cluster-joined") releases.set(data.peer, releases.get(place) ?? 1);
      const self = replicas.running.get(place);
      if (self === undefined) return;
      if (kind === "logged" && data.event === "link-broken") {
        brokenAt.set(`${self.peer} ${peerIn(data.detail)}`, at);
      }
      if (kind !== "peer-up" && kind !== "peer-down") return;
      judged += 1;
      const side = sideOf(self.peer, data.peer);
      const up = kind === "peer-up";
      if (side.up === up)
        failures.push(`${place} announced ${kind} of ${data.peer} twice (${at} ms)`);
      side.up = up;
      if (up) side.ups += 1;
      if (kind === "peer-down") {
        // A clock may run a little fast.
        const waited = at - (brokenAt.get(`${self.peer} ${data.peer}`) ?? 0);
        if (!data.reason.startsWith("not back") || waited >= 0.9 * linkGrace) return;
        failures.push(`${place} gave ${data.peer} up after ${waited} ms without a connection`);
        return;
      }
      const { peer, version = 1 } = data;
      const common = Math.min(releases.get(self.peer) ?? 1, releases.get(peer) ?? 1);
      if (version === common) return;
      failures.push(`${place} speaks version ${version} with ${peer}, not ${common} (${at} ms)`);
    },
    judge(cut = false) {
      const present =
        plan.topology.cluster === undefined || cut ? [] : [...replicas.running.values()];
      for (const one of present) {
        for (const other of present) {
          if (one.peer >= other.peer) continue;
          const [here, there] = [sideOf(one.peer, other.peer), sideOf(other.peer, one.peer)];
          if (here.up !== there.up) {
            const [has, not] = here.up ? [one, other] : [other, one];
            failures.push(`${has.peer} is linked with ${not.peer}, but not the other way round`);
          }
        }
      }
      return { judged, unknown: 0, failures };
    },
  };
};

/** `peer=… reason=…` */
function peerIn(detail: string): string {
  return /^peer=(\S*)/.exec(detail)?.[1] ?? "";
}

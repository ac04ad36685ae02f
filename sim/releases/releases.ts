/**
 * Releases: which may a node of a plan be? This code, what is to succeed it (`next-release.ts`), or one so much later
 * that it no longer speaks with either; plans drawn from seeds leave that out, since all their nodes must meet.
 */
import { commonVersion, type ProtocolRange } from "../../src/cluster/protocol.ts";
import type { Config } from "../../src/server/config.ts";

export const releases = [1, 2, 3] as const;
/** Of which the nodes of a plan may be. */
export const releasesThatMeet = [1, 2] as const;
export type Release = (typeof releases)[number];

/** The versions of the protocol that each speaks. */
const spoken: Readonly<Record<Release, ProtocolRange>> = {
  1: { min: 1, max: 1 },
  2: { min: 1, max: 2 },
  3: { min: 3, max: 3 },
};

/** Have they a version of the protocol in common? */
export function canMeet(one: Release, other: Release): boolean {
  return commonVersion(spoken[one], spoken[other]) !== undefined;
}

export function configOfRelease(config: Config, release: Release): Config {
  const { cluster } = config;
  if (cluster === undefined || release === 1) return config;
  return { ...config, cluster: { ...cluster, protocol: spoken[release] } };
}

/** Releases: which may a node of a plan be? This code, or what is to succeed it (`next-release.ts`). */
import type { Config } from "../../src/server/config.ts";

export const releases = [1, 2] as const;
/** Also the highest version of the protocol that it speaks. */
export type Release = (typeof releases)[number];

export function configOfRelease(config: Config, release: Release): Config {
  const { cluster } = config;
  if (cluster === undefined || release === 1) return config;
  return { ...config, cluster: { ...cluster, protocol: { min: 1, max: release } } };
}

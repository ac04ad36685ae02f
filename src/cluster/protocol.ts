/** Protocol: which versions of what nodes say to each other does this release know? */

/** Versions of the protocol that a node speaks. */
export interface ProtocolRange {
  readonly min: number;
  readonly max: number;
}

export const protocolVersions: ProtocolRange = { min: 1, max: 1 };

/** The highest that both speak: what changes between versions, both do as this one says. */
export function commonVersion(one: ProtocolRange, other: ProtocolRange): number | undefined {
  const max = Math.min(one.max, other.max);
  return max < Math.max(one.min, other.min) ? undefined : max;
}

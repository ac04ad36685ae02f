/** Lanes: which rows does the report have, and in which is a place shown? */
import type { Plan } from "../plan.ts";

export interface Lane {
  readonly name: string;
  readonly kind: "world" | "node" | "database" | "client";
}

export type LaneFinder = (place: string) => number;

export function lanesOf(plan: Plan): readonly Lane[] {
  return [
    { name: "world", kind: "world" },
    ...plan.topology.nodes.map(({ name }): Lane => ({ name, kind: "node" })),
    { name: "database", kind: "database" },
    ...plan.clients.map(({ name }): Lane => ({ name, kind: "client" })),
  ];
}

/** A login is shown in its client's lane, and what has none in the world's. */
export function laneFinder(lanes: readonly Lane[]): LaneFinder {
  const byName = new Map(lanes.map(({ name }, index) => [name, index]));
  return (place) => byName.get(place) ?? byName.get(place.split("#")[0] ?? "") ?? 0;
}

/**
 * Paths: which hosts does a target of a link fault name, and how are they cut from each other?
 *
 *     n1>n2        from one to the other        n1,n2|n3       groups; who is in none reaches everybody
 *     n1~n2        both ways                    n1,n2,n3       a ring: each reaches its two neighbours
 */
import type { Fabric } from "./fabric.ts";

export type Path = readonly [from: string, to: string];

/** One, or those at the ends of paths or in groups. */
export function hostsOf(target: string): readonly string[] {
  return target.split(/[>~|,]/);
}

export function pathOf(target: string): Path {
  const [from = "", to = ""] = target.split(">");
  return [from, to];
}

export function pairOf(target: string): Path {
  const [one = "", other = ""] = target.split("~");
  return [one, other];
}

export function bothWays([one, other]: Path): readonly Path[] {
  return [
    [one, other],
    [other, one],
  ];
}

/** All paths between different groups. */
export function pathsBetweenGroups(target: string): readonly Path[] {
  const groups = target.split("|").map((group) => group.split(","));
  const paths: Path[] = [];
  for (const group of groups) {
    for (const other of groups) {
      if (other === group) continue;
      for (const from of group) for (const to of other) paths.push([from, to]);
    }
  }
  return paths;
}

/** All paths between nodes that are not neighbours on the ring. */
export function pathsAcrossRing(target: string): readonly Path[] {
  const ring = target.split(",");
  const paths: Path[] = [];
  ring.forEach((from, at) => {
    ring.forEach((to, other) => {
      const distance = Math.abs(at - other);
      if (distance > 1 && distance < ring.length - 1) paths.push([from, to]);
    });
  });
  return paths;
}

export function cutAll(fabric: Fabric, paths: readonly Path[]): void {
  for (const [from, to] of paths) fabric.cut(from, to);
}

export function mendAll(fabric: Fabric, paths: readonly Path[]): void {
  for (const [from, to] of paths) fabric.mend(from, to);
}

/** Heap: how much does what is reachable now occupy, strings outside the heap included? */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { binaryFromBytes, type BinaryString } from "../../src/base/bytes.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

export function occupied(): number {
  collect();
  collect(); // memory outside the heap is given back by the collection after the one that frees its owner
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What `partOfMuch` is a part of. */
export const muchBytes = 500_000;

/** A short string that, as long as it is only a part, keeps half a megabyte alive. */
export function partOfMuch(): BinaryString {
  return binaryFromBytes(new Uint8Array(muchBytes).fill(120)).substring(1_000, 1_200);
}

/** Resolver: what a host's name means now, and what stands in a file: where lists of nodes come from. */
import type { RequestId } from "./database.ts";

export type ResolverInput =
  /** IPv4 and IPv6, in no order. */
  | {
      readonly type: "host-resolved";
      readonly request: RequestId;
      readonly addresses: readonly string[];
    }
  | { readonly type: "file-read"; readonly request: RequestId; readonly text: string }
  /** No such name or file, or nobody to ask: in words. */
  | { readonly type: "lookup-failed"; readonly request: RequestId; readonly detail: string };

export type ResolverEffect =
  | { readonly type: "resolve"; readonly request: RequestId; readonly host: string }
  | { readonly type: "read-file"; readonly request: RequestId; readonly path: string };

/** Larger files are not read. */
export const fileBytesMax = 1_048_576;

/** Each is answered later by one `ResolverInput`, always, within a few seconds. */
export interface Resolver {
  resolve(request: RequestId, host: string): void;
  /** Of at most `fileBytesMax`. */
  readFile(request: RequestId, path: string): void;
}

/** Member messages: what the process that supervises nodes and each of those nodes say to each other. */
import type { LogFields } from "../ports/log.ts";
import type { Config } from "../server/config.ts";

export interface MemberPlan {
  /** What people call it: `node-2`, `worker 2`. */
  readonly name: string;
  readonly config: Config;
  /** On each of its log lines. */
  readonly logFields: LogFields;
  /** On each of its metrics. */
  readonly metricLabels: Readonly<Record<string, string>>;
  /** Its `/metrics` shows those of all members. */
  readonly gathersMetrics: boolean;
}

export type ToMember =
  | { readonly type: "start"; readonly plan: MemberPlan }
  | { readonly type: "stop" }
  | { readonly type: "reload" }
  | { readonly type: "tell-metrics"; readonly request: number }
  /** The answer to `gather-metrics`. */
  | { readonly type: "metrics-gathered"; readonly request: number; readonly text: string };

export type FromMember =
  /** It listens to us: what is sent before may be lost. */
  | { readonly type: "ready-to-start" }
  | { readonly type: "started"; readonly listening: readonly (readonly [string, number])[] }
  /** It could not start: why, in a line for people. */
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "gather-metrics"; readonly request: number }
  /** The answer to `tell-metrics`. */
  | { readonly type: "metrics-told"; readonly request: number; readonly text: string };

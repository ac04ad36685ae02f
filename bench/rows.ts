/** Rows: what is asked of every subject, each row one question. */
import type { LoadSpec } from "./load/spec.ts";

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly tls: boolean;
  /** A server of its own, so that what an earlier row left in its memory does not count. */
  readonly fresh: boolean;
  readonly load: Omit<LoadSpec, "ports" | "tls" | "pids" | "databasePids">;
}

const base = {
  clients: 100,
  window: 4,
  rate: 0,
  bodyBytes: 100,
  warmupMs: 3000,
  durationMs: 4000,
  logins: 0,
} as const;

const messages = (clients: number, window: number): Row["load"] => ({
  ...base,
  mode: "messages",
  clients,
  window,
});
const idle: Row["load"] = {
  ...base,
  mode: "idle",
  clients: 5000,
  warmupMs: 8000,
  durationMs: 2000,
};
const row = (name: string, title: string, load: Row["load"]): Row => {
  return { name, title, tls: name.startsWith("tls-"), fresh: load.mode === "idle", load };
};

export const rows: readonly Row[] = [
  row("msg2", "messages, 2 clients, 32 under way each", messages(2, 32)),
  row("msg100", "messages, 100 clients, 4 under way each", messages(100, 4)),
  row("msg1000", "messages, 1000 clients, 1 under way each", messages(1000, 1)),
  row("rate", "messages, 100 clients, 2,000 a second", { ...messages(100, 0), rate: 2000 }),
  row("ping", "pings of the server, 100 clients, 4 under way each", { ...base, mode: "pings" }),
  row("login", "logins (SCRAM-SHA-1), 50 at once", {
    ...base,
    mode: "logins",
    clients: 1000,
    logins: 2000,
  }),
  row("idle", "5,000 idle connections", idle),
  row("tls-msg100", "TLS: messages, 100 clients, 4 under way each", messages(100, 4)),
  row("tls-msg1000", "TLS: messages, 1000 clients, 1 under way each", messages(1000, 1)),
  row("tls-idle", "TLS: 5,000 idle connections", idle),
];

/** A short version of a row: fewer seconds and connections, for a first look. */
export function quick({ load, ...rest }: Row): Row {
  const idling = load.mode === "idle";
  return {
    ...rest,
    load: {
      ...load,
      clients: idling ? 1000 : load.clients,
      warmupMs: 3000,
      durationMs: idling ? 1000 : 2000,
      logins: load.logins / 4,
    },
  };
}

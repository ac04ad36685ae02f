/** Log: structured lines. `event` is a stable kebab-case name; never a password, key or body. */
export type LogLevel = "debug" | "info" | "warning" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  write(level: LogLevel, event: string, fields?: LogFields): void;
}

/** `meerkat config check FILE`: is this a configuration that `serve` would accept? */
import { readConfig } from "./config-file.ts";

export function checkConfig(file: string): void {
  const { general, listen } = readConfig(file);
  const hosts = general.hosts.join(", ");
  const listeners = listen.map(({ name }) => name).join(", ");
  console.log(`${file} is valid: serves ${hosts}; listens as ${listeners || "nothing"}.`);
}

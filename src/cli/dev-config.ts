/** DevConfig: what `meerkat dev` serves, all of it on 127.0.0.1. */
import type { Config, Listener, TlsConfig } from "../server/config.ts";
import { defaultConfig, httpListenerDefaults, listenerDefaults } from "../server/config.ts";

export interface DevSettings {
  readonly certfile: string;
  readonly keyfile: string;
  readonly rdbms: Pick<Config["rdbms"], "host" | "port" | "database" | "username" | "password">;
  /** STARTTLS is here, direct TLS one above; HTTP is 58 above (5222, 5223, 5280). */
  readonly port: number;
}

export function devConfig({ certfile, keyfile, rdbms, port }: DevSettings): Config {
  const tls = (mode: TlsConfig["mode"]): TlsConfig => ({
    mode,
    certfile,
    keyfile,
    cacertfile: "",
    hosts: {},
  });
  // A load test on this machine comes from one address.
  const local = { ip_address: "127.0.0.1", max_connections_per_address: 20_000 };
  const listen: readonly Listener[] = [
    {
      ...listenerDefaults,
      ...local,
      name: "c2s",
      kind: "c2s",
      port,
      tls: tls("starttls_required"),
    },
    {
      ...listenerDefaults,
      ...local,
      name: "c2s-tls",
      kind: "c2s",
      port: port + 1,
      tls: tls("tls"),
    },
    {
      ...httpListenerDefaults,
      ...local,
      name: "http",
      kind: "http",
      port: port + 58,
      tls: undefined,
      allow_plaintext: true,
      metrics: true,
    },
  ];
  return {
    ...defaultConfig,
    listen,
    rdbms: { ...defaultConfig.rdbms, ...rdbms },
    registration: { enabled: true, ip_access: ["127.0.0.0/8", "::1"] },
  };
}

export const devPort = 5222;

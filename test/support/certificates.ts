/** Certificates: self-signed pairs in a folder of their own, for tests of TLS. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";
import type { TlsConfig } from "../../src/server/config.ts";
import { temporaryFolder } from "./temporary-folders.ts";

export { temporaryFolder } from "./temporary-folders.ts";

export interface Pair {
  readonly certfile: string;
  readonly keyfile: string;
  readonly cert: string;
  readonly key: string;
}

export async function makePair(host: string, folder = temporaryFolder()): Promise<Pair> {
  const pair = await generate([{ name: "commonName", value: host }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: host }] }],
  });
  const files = { certfile: join(folder, `${host}.crt`), keyfile: join(folder, `${host}.key`) };
  writeFileSync(files.certfile, pair.cert);
  writeFileSync(files.keyfile, pair.private, { mode: 0o600 });
  return { ...files, cert: pair.cert, key: pair.private };
}

export function tlsConfig(
  pair: Pick<Pair, "certfile" | "keyfile">,
  changes: Partial<TlsConfig> = {},
): TlsConfig {
  const { certfile, keyfile } = pair;
  return { mode: "starttls", certfile, keyfile, cacertfile: "", hosts: {}, ...changes };
}

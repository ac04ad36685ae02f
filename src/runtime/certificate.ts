/**
 * Certificate: a self-signed pair for `localhost`, made at the first start so that TLS can be tried.
 *
 * Not for anybody but this machine: clients elsewhere have no reason to trust it.
 */
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";

export interface CertificateFiles {
  readonly certfile: string;
  readonly keyfile: string;
}

const dayMs = 86_400_000;
const validDays = 365;
/** Made anew when less than this is left. */
const renewDays = 7;

/** The pair in `folder`, made or renewed if need be. */
export async function localhostCertificate(folder: string): Promise<CertificateFiles> {
  const certfile = join(folder, "localhost.crt");
  const keyfile = join(folder, "localhost.key");
  if (!usable(certfile, keyfile)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const pair = await generate([{ name: "commonName", value: "localhost" }], {
      keyType: "ec",
      curve: "P-256",
      algorithm: "sha256",
      notBeforeDate: new Date(Date.now() - dayMs), // clocks differ
      notAfterDate: new Date(Date.now() + validDays * dayMs),
      extensions: [
        { name: "basicConstraints", cA: false, critical: true },
        { name: "keyUsage", digitalSignature: true, critical: true },
        { name: "extKeyUsage", serverAuth: true },
        {
          name: "subjectAltName",
          altNames: [
            { type: 2, value: "localhost" },
            { type: 7, ip: "127.0.0.1" },
            { type: 7, ip: "::1" },
          ],
        },
      ],
    });
    replace(keyfile, pair.private, 0o600);
    replace(certfile, pair.cert, 0o644);
  }
  return { certfile, keyfile };
}

function usable(certfile: string, keyfile: string): boolean {
  try {
    const certificate = new X509Certificate(readFileSync(certfile));
    readFileSync(keyfile);
    return Date.parse(certificate.validTo) - Date.now() > renewDays * dayMs;
  } catch {
    return false;
  }
}

/** Never half a file, and never a key that others may read, not even for a moment. */
function replace(path: string, content: string, mode: number): void {
  const draft = `${path}.new`;
  writeFileSync(draft, content, { mode });
  chmodSync(draft, mode); // a draft left behind keeps the mode that it had
  renameSync(draft, path);
}

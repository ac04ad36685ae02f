/** Certificate: one for localhost, signed by itself, for all subjects of a run. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";
import { domain } from "./load/spec.ts";
import type { Certificate } from "./subjects/subject.ts";

export async function makeCertificate(folder: string): Promise<Certificate> {
  const made = await generate([{ name: "commonName", value: domain }], {
    keyType: "ec",
    curve: "P-256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: domain }] }],
  });
  const certfile = join(folder, "localhost.pem");
  const keyfile = join(folder, "localhost.key");
  writeFileSync(certfile, made.cert);
  writeFileSync(keyfile, made.private, { mode: 0o644 });
  return { certfile, keyfile };
}

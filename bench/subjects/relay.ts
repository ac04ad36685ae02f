/** The relay as a subject: the floor beside which everything else is judged. */
import { join } from "node:path";
import { freePort, root, startServer, temporaryFolder, type Subject } from "./subject.ts";

export const relay: Subject = {
  name: "relay",
  unavailable: () => undefined,
  async start({ tls, certificate }) {
    const port = await freePort();
    const files = tls ? [certificate.certfile, certificate.keyfile] : [];
    const script = join(root, "scripts", "run.mjs");
    return startServer({
      command: process.execPath,
      args: [script, join(root, "bench", "relay.ts"), String(port), ...files],
      folder: temporaryFolder("relay"),
      port,
    });
  },
};

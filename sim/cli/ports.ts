/** Ports of a run that need something of the platform: hashes, and the database in memory. */
import type { Crypto } from "../../src/ports/crypto.ts";
import { PureCrypto } from "../ports/crypto.ts";
import { SimulatedStore } from "../ports/database.ts";
import type { RunOptions } from "../run.ts";

export function runPorts(): Pick<RunOptions, "crypto" | "database"> {
  return { crypto: new PureCrypto(), database: (now) => new SimulatedStore(now) };
}

/** For feeding recordings: derived keys are among the recorded inputs. */
export function recordingCrypto(): Crypto {
  const pure = new PureCrypto();
  return {
    hash: (name, data) => pure.hash(name, data),
    hmac: (name, key, data) => pure.hmac(name, key, data),
    equal: (a, b) => pure.equal(a, b),
    deriveKey: () => undefined,
  };
}

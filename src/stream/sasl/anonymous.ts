/** ANONYMOUS: a name of the server's choice, for as long as the session lasts (RFC 4505, XEP-0175). */
import { toHex } from "../../base/bytes.ts";
import type { Work } from "../../ports/work.ts";
import type { Mechanism, SaslContext, SaslOutcome } from "./exchange.ts";

export const anonymous: Mechanism = {
  name: "ANONYMOUS",
  *run(context: SaslContext): Work<SaslOutcome> {
    return { type: "success", username: `anonymous-${toHex(context.entropy.bytes(16))}` };
  },
};

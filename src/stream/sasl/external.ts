/**
 * EXTERNAL: who the client's TLS certificate says it is (RFC 4422 appendix A, XEP-0178 §2).
 *
 * Without an authorization identity the certificate must name exactly one address of this host.
 */
import { isUtf8, textFromBytes } from "../../base/bytes.ts";
import { challenge, type Work } from "../../ports/work.ts";
import { parseJid, type Jid } from "../../xmpp/jid.ts";
import { saslFailure, type Mechanism, type SaslContext, type SaslOutcome } from "./exchange.ts";

export const external: Mechanism = {
  name: "EXTERNAL",
  *run(context: SaslContext, initial: Uint8Array | undefined): Work<SaslOutcome> {
    const message = initial ?? (yield* challenge(new Uint8Array(0)));
    if (!isUtf8(message)) return saslFailure("malformed-request");
    const names = certifiedNames(context);
    const asked = textFromBytes(message);
    if (asked === "") {
      const [only] = names;
      if (only === undefined || names.length > 1) return saslFailure("not-authorized");
      return yield* existing(context, only);
    }
    const jid = parseJid(asked);
    const named = names.find(({ bare }) => bare === jid?.full);
    return named === undefined ? saslFailure("invalid-authzid") : yield* existing(context, named);
  },
};

/** Each once, however often and in whatever spelling the certificate names it. */
function certifiedNames({ tls, host }: SaslContext): readonly Jid[] {
  const names = new Map<string, Jid>();
  for (const address of tls?.certifiedAddresses ?? []) {
    const jid = parseJid(address)?.toBare();
    if (jid !== undefined && jid.domain === host && jid.local !== "") names.set(jid.bare, jid);
  }
  return [...names.values()];
}

/** A certificate outlives the account that it names. */
function* existing(context: SaslContext, jid: Jid): Work<SaslOutcome> {
  const keys = yield* context.lookup(jid.local, "sha-256");
  if (keys === undefined) return saslFailure("not-authorized");
  return { type: "success", username: jid.local };
}

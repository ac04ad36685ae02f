/** Authentication: what a client must be able to do to log in, whatever its mechanism (RFC 4422). */
import { bytesFromText } from "../../src/base/bytes.ts";

/**
 * With the right password: in another's name, in answer to another challenge, by another channel, or as if none
 * had been offered to bind (where there are such).
 */
export type Lie = "identity" | "nonce" | "channel" | "downgrade";

/** Whom such a client would act as. */
export const lentIdentity = "admin@meerkat.test";

export interface ClientSasl {
  readonly mechanism: string;
  initial(): Uint8Array;
  /** Undefined: the challenge is not one that this client can answer. */
  respond(challenge: Uint8Array): Uint8Array | undefined;
  /** Does the data of `<success/>` prove that the server knows the account too? */
  accepts(data: Uint8Array): boolean;
}

/** PLAIN (RFC 4616): nothing to answer and nothing to check. */
export function plainClient(user: string, password: string, identity = ""): ClientSasl {
  return {
    mechanism: "PLAIN",
    initial: () => bytesFromText(`${identity}\0${user}\0${password}`),
    respond: () => undefined,
    accepts: () => true,
  };
}

/** PLAIN: the password itself, over TLS (RFC 4616). Checked against the salted keys of SCRAM-SHA-256. */
import { bytesFromText, isUtf8, textFromBytes } from "../../base/bytes.ts";
import { challenge, derivedKey } from "../../ports/work.ts";
import { preparePassword, prepareUsername } from "../../xmpp/jid.ts";
import { saslFailure, type Mechanism } from "./exchange.ts";
import { keysOf, makeScramKeys, mayActAs } from "./scram.ts";

const hash = "sha-256";

export const plain: Mechanism = {
  name: "PLAIN",
  *run(context, initial) {
    const message = initial ?? (yield* challenge(new Uint8Array(0)));
    const parts = isUtf8(message) ? textFromBytes(message).split("\0") : [];
    const [authzid = "", sentName = "", sentPassword = ""] = parts;
    if (parts.length !== 3 || sentName === "" || sentPassword === "") {
      return saslFailure("malformed-request");
    }
    const username = prepareUsername(sentName);
    const { keys, known } = yield* keysOf(hash, context, username, sentName);
    const password = bytesFromText(preparePassword(sentPassword) ?? sentPassword);
    const { salt, iterations } = keys;
    const salted = yield* derivedKey({ hash, password, salt, iterations });
    const made = makeScramKeys(context.crypto, hash, salted, salt, iterations);
    const right = context.crypto.equal(made.storedKey, keys.storedKey);
    if (!right || !known || username === undefined) return saslFailure("not-authorized");
    if (!mayActAs(authzid, username, context.host)) return saslFailure("invalid-authzid");
    return { type: "success", username };
  },
};

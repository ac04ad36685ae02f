/**
 * Offers: what may a server offer to a client that has come in by this door, as far as it has come?
 *
 *     STARTTLS required     in the clear nothing but that (RFC 6120 §5.3.1)
 *     STARTTLS optional     in the clear also mechanisms, but none that shows the password or binds a channel
 *     TLS from the start    as behind STARTTLS, which is not offered where TLS is (RFC 7590, XEP-0368)
 *
 * Written from the RFCs, apart from the server's side.
 */
import type { Door } from "../plan.ts";

export interface Reached {
  readonly door: Door | undefined;
  readonly secured: boolean;
  readonly authenticated: boolean;
}

/** Says what is wrong first; undefined: nothing. */
export function wrongOffer(
  offered: ReadonlySet<string>,
  { door, secured, authenticated }: Reached,
): string | undefined {
  const names = [...offered];
  const mechanism = names.find((name) => name === "PLAIN" || name.startsWith("SCRAM-"));
  if (secured && offered.has("starttls")) return "starttls is offered where TLS is";
  if (authenticated) {
    return mechanism === undefined ? undefined : `${mechanism} is offered to who is logged in`;
  }
  if (offered.has("bind")) return "bind is offered to who is not logged in";
  if (secured) return undefined;
  if (!offered.has("starttls")) return "no starttls is offered";
  if (door === undefined) {
    const other = names.find((name) => name !== "starttls");
    return other === undefined ? undefined : `${other} is offered where TLS must come first`;
  }
  const exposed = names.find((name) => name === "PLAIN" || name.endsWith("-PLUS"));
  return exposed === undefined ? undefined : `${exposed} is offered in the clear`;
}

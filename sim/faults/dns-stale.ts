/** DNS stale: answers are those of a while ago, as of a cache that nobody clears. */
import { lookupFault } from "./fault.ts";

export const dnsStale = lookupFault("dns-stale", "dns", [1_000, 5_000, 30_000]);

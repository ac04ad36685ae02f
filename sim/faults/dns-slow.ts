/** DNS slow: every answer takes longer, perhaps longer than anybody waits. */
import { lookupFault } from "./fault.ts";

export const dnsSlow = lookupFault("dns-slow", "dns", [200, 1_500, 3_000, 6_000]);

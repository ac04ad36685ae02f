/** DNS down: no name server answers. */
import { lookupFault } from "./fault.ts";

export const dnsDown = lookupFault("dns-down", "dns");

/** DNS lacking: answers lack some of the nodes, and now and then all of them. */
import { lookupFault } from "./fault.ts";

export const dnsLacking = lookupFault("dns-lacking", "dns");

/** DNS lacking: answers lack some of the nodes, and now and then all of them. */
import { lackingFault } from "./lacking.ts";

export const dnsLacking = lackingFault("dns-lacking", "dns");

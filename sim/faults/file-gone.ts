/** File gone: there is no list of nodes. */
import { lookupFault } from "./fault.ts";

export const fileGone = lookupFault("file-gone", "file");

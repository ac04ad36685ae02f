/** File lacking: the list of nodes lacks lines. */
import { lookupFault } from "./fault.ts";

export const fileLacking = lookupFault("file-lacking", "file");

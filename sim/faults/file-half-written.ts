/** File half-written: whoever reads the list of nodes finds the beginning of it. */
import { lookupFault } from "./fault.ts";

export const fileHalfWritten = lookupFault("file-half-written", "file");

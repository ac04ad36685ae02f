/** File lacking: the list of nodes lacks lines. */
import { lackingFault } from "./lacking.ts";

export const fileLacking = lackingFault("file-lacking", "file");

/** Worker: the process that performs a parent's tasks, one after the other, until the parent is gone. */
import { perform, type Task } from "./tasks.ts";

process.on("message", (task: Task) => process.send?.(perform(task)));
process.on("disconnect", () => process.exit(0));
// Ctrl+C reaches the whole group; the parent says when to stop.
process.on("SIGINT", () => undefined);

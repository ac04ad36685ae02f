/** Health checks: a supervisor on each node's machine asks, all the time, whether it is alive and ready. */
import { planHost } from "./addresses.ts";
import type { SimulatedNode } from "./node.ts";
import type { Trace } from "./trace.ts";

const paths = ["/healthz", "/readyz"] as const;

/** Asks one node once; a node that is down is not asked. */
export function checkHealth(node: SimulatedNode, trace: Trace): void {
  for (const path of paths) {
    if (!node.running) return;
    trace.record(node.name, "health-asked", { path });
    node.ask({ listener: "http", method: "GET", target: path, host: planHost }, (answer) => {
      const { status, body } = answer;
      trace.record(node.name, "health-answered", { path, status, body: body.trimEnd() });
    });
  }
}

/** Progress: once everything is healed, is every client that wants to be online soon online? */
import type { BehaviourKind } from "../plan.ts";
import type { OracleMaker } from "./oracle.ts";

const stays: readonly BehaviourKind[] = [
  "chatter",
  "vanisher",
  "reconnecter",
  "non-reader",
  "flooder",
];

export const progress: OracleMaker = (plan) => {
  const rows = new Map(plan.clients.map((client) => [client.name, client]));
  const contested = new Map<string, boolean>();
  const failures: string[] = [];
  let judged = 0;
  return {
    name: "progress",
    counts: "clients",
    see({ kind, data }) {
      if (kind !== "online-observed") return;
      const client = rows.get(data.client);
      if (client === undefined) return;
      if (client.behaviour.kind === "rival") {
        const name = `${client.user}/${client.resource}`;
        contested.set(name, data.online || (contested.get(name) ?? false));
      }
      if (!stays.includes(client.behaviour.kind)) return;
      judged += 1;
      if (!data.online) failures.push(`${data.client} is not online although all is healed`);
    },
    judge() {
      // Rivals throw each other out for ever; at any moment one of them has the name, or will soon.
      return { judged: judged + contested.size, unknown: 0, failures };
    },
  };
};

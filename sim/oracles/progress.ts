/** Progress: once everything is healed, is every client that wants to be online soon online? */
import type { BehaviourKind } from "../plan.ts";
import { Names } from "./names.ts";
import type { Logins } from "./logins.ts";
import { clientOf } from "../kit/network.ts";
import type { OracleMaker } from "./oracle.ts";

/** Who comes back whenever it is thrown out. */
const stays: Readonly<Record<BehaviourKind, boolean>> = {
  chatter: true,
  vanisher: true,
  reconnecter: true,
  rival: false,
  "non-reader": true,
  flooder: true,
  impostor: false,
  registrar: false,
  hostile: false,
};

/** How long a node may know a session of another that has ended. */
const staleMs = 30_000;

export const progress: OracleMaker = (plan, { logins }) => {
  const max = plan.limits.maxSessionsPerUser;
  const stale = plan.topology.cluster === undefined ? 0 : staleMs;
  const rows = new Map(plan.clients.map((client) => [client.name, client]));
  const contested = new Map<string, boolean>();
  const failures: string[] = [];
  const names = new Names(plan, logins, stale);
  const healAt = plan.duration.setUp + plan.duration.safety;
  const restAt = healAt + plan.duration.liveness;
  /** Who was online at some moment after the heal, and when first. */
  const backAt = new Map<string, number>();
  const online = new Set<string>();
  /** Who waited for a machine that has lost its power, and gave up when all were at rest: too late for another. */
  const late = new Set<string>();
  let judged = 0;
  let unknown = 0;
  return {
    name: "progress",
    counts: "clients",
    sees: [...logins.sees, "phase-started", "bind-refused", "online-observed"],
    see(event) {
      logins.see(event);
      failures.push(...names.see(event));
      const { kind, data, at } = event;
      if (kind === "login-bound") {
        const client = clientOf(data.login);
        online.add(client);
        if (at >= healAt && !backAt.has(client)) backAt.set(client, at);
      }
      if (kind === "login-ended") {
        online.delete(clientOf(data.login));
        const inVain = logins.hasNoPower(logins.get(data.login)?.node ?? "");
        const gaveUp = inVain || lostItsMachine(logins, data.login);
        if (at >= restAt && gaveUp) late.add(clientOf(data.login));
      }
      if (kind === "phase-started" && at === healAt) {
        for (const client of online) backAt.set(client, at);
      }
      if (kind === "bind-refused" && data.condition === "resource-constraint") {
        const others = mayExist(logins, data.login, stale);
        if (others < max) {
          failures.push(`${data.login} was refused for ${max} sessions, but there were ${others}`);
        }
      }
      if (kind !== "online-observed") return;
      const client = rows.get(data.client);
      if (client === undefined) return;
      if (client.behaviour.kind === "rival") {
        const name = `${client.user}/${client.resource}`;
        contested.set(name, data.online || (contested.get(name) ?? false));
      }
      if (!stays[client.behaviour.kind]) return;
      // At the last look it may be trying a machine that is without power for good, before it tries another.
      const last = logins.lastOf(data.client);
      const inTheDark = logins.hasNoPower(last?.node ?? "");
      const stillWaits = last?.endedAt === undefined && lostItsMachine(logins, last?.login);
      const tooLate = late.has(data.client) || stillWaits;
      if (!data.online && (inTheDark || tooLate || names.keptOut.has(data.client))) {
        unknown += 1;
        return;
      }
      judged += 1;
      if (!data.online) failures.push(`${data.client} is not online although all is healed`);
    },
    judge() {
      // Rivals throw each other out for ever; at any moment one of them has the name, or will soon.
      const recoveredMs = [...rows.values()].flatMap(({ name, behaviour }) => {
        const at = stays[behaviour.kind] ? backAt.get(name) : undefined;
        return at === undefined ? [] : [at - healAt];
      });
      return { judged: judged + contested.size, unknown, failures, recoveredMs };
    },
  };
};

function lostItsMachine(logins: Logins, name = ""): boolean {
  const login = logins.get(name);
  return login !== undefined && logins.lostItsMachine(login);
}

/** Sessions of the same user that a node may have known since this login began. */
function mayExist(logins: Logins, login: string, stale: number): number {
  const self = logins.get(login);
  return self === undefined ? 0 : logins.besides(self, self.startedAt - stale);
}

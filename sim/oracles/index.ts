/** Oracles: all of them, always on. */
import { accounts } from "./accounts.ts";
import type { Plan } from "../plan.ts";
import { answers } from "./answers.ts";
import { atomicSync } from "./atomic-sync.ts";
import { bounds } from "./bounds.ts";
import { conservation } from "./conservation.ts";
import { constancy } from "./constancy.ts";
import { convergence } from "./convergence.ts";
import { courtesy } from "./courtesy.ts";
import { delivery } from "./delivery.ts";
import { directory } from "./directory.ts";
import { discovery } from "./discovery.ts";
import { ghosts } from "./ghosts.ts";
import { health } from "./health.ts";
import { links } from "./links.ts";
import { operationOrder } from "./operation-order.ts";
import { Logins } from "./logins.ts";
import type { Oracle, OracleMaker } from "./oracle.ts";
import { notices } from "./notices.ts";
import { patience } from "./patience.ts";
import { Presences } from "./presences.ts";
import { progress } from "./progress.ts";
import { receipts } from "./receipts.ts";
import { reconnection } from "./reconnection.ts";
import { refusals } from "./refusals.ts";
import { Replicas } from "./replicas.ts";
import { registry } from "./registry.ts";
import { sessions } from "./sessions.ts";
import { settled } from "./settled.ts";
import { uncaught } from "./uncaught.ts";
import { Written } from "./written.ts";

const oracleMakers: readonly OracleMaker[] = [
  conservation,
  receipts,
  delivery,
  notices,
  answers,
  sessions,
  accounts,
  courtesy,
  refusals,
  progress,
  patience,
  health,
  links,
  constancy,
  reconnection,
  registry,
  discovery,
  convergence,
  atomicSync,
  operationOrder,
  ghosts,
  settled,
  bounds,
  directory,
  uncaught,
];

/** Of one history: each event is shown to all of them before the next, or to one of them alone. */
export function makeOracles(plan: Plan): readonly Oracle[] {
  const gathered = {
    replicas: new Replicas(),
    logins: new Logins(),
    written: new Written(),
    presences: new Presences(),
  };
  return oracleMakers.map((make) => make(plan, gathered));
}

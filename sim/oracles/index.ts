/** Oracles: all of them, always on. */
import { accounts } from "./accounts.ts";
import { answers } from "./answers.ts";
import { conservation } from "./conservation.ts";
import { courtesy } from "./courtesy.ts";
import type { OracleMaker } from "./oracle.ts";
import { progress } from "./progress.ts";
import { refusals } from "./refusals.ts";
import { sessions } from "./sessions.ts";
import { uncaught } from "./uncaught.ts";

export const oracleMakers: readonly OracleMaker[] = [
  conservation,
  answers,
  sessions,
  accounts,
  courtesy,
  refusals,
  progress,
  uncaught,
];

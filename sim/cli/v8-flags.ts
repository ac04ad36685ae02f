/**
 * V8 flags: with which does a process that simulates run faster than with what suits a server?
 *
 * A run makes much and keeps little: a young generation of 64 MB is collected a quarter as often. And it is
 * made of much code that runs a few thousand times: all of it is compiled at once, if only quickly; each step runs
 * through so much of it that Node's own is better kept in few large pages, where the system has some. `npm run
 * sim` has the same in package.json, where no code can say it.
 */
export const v8Flags = [
  "--max-semi-space-size=64",
  "--always-sparkplug",
  "--use-largepages=silent",
] as const;

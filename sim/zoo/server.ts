/** Plants where streams, sessions, router and work meet. */
import type { Plant } from "./plant.ts";

const router = "src/router/router.ts";
const traffic = "src/server/traffic.ts";
const life = "src/server/session-life.ts";

export const serverPlants: readonly Plant[] = [
  {
    name: "router-lets-a-forged-sender-pass",
    file: router,
    find: "if (from !== undefined && from !== sender.jid.full && !this.#isOwn(sender, from)) {",
    replace: "if (from !== undefined && from === sender.jid.full) {",
    oracle: "refusals",
  },
  {
    name: "router-answers-from-nobody",
    file: router,
    find: "    const from = stanza.to ?? sender.jid.bare;\n    const reply",
    replace: "    const from = sender.jid.domain;\n    const reply",
    oracle: "answers",
  },
  {
    name: "router-sends-to-all-instead-of-the-best",
    file: router,
    find: "        return deliverTo(bestOf(sessions), sender, stanza, transit);",
    replace: "        return deliverTo(sessions, sender, stanza, transit);",
    oracle: "delivery",
  },
  {
    name: "router-drops-what-cannot-be-stored",
    file: router,
    find: '      case "store":\n      case "bounce":',
    replace: '      case "store":\n        return nothing;\n      case "bounce":',
    oracle: "conservation",
  },
  {
    name: "sessions-keep-the-bare-entry",
    file: "src/router/sessions.ts",
    find: "    else all.splice(index, 1);",
    replace: "",
    oracle: "sessions",
    profile: "cluster",
  },
  {
    name: "bind-conflict-closes-neither",
    file: life,
    find: 'clients.end(now, outcome.replaced, "conflict", "Replaced by a new login");',
    replace: "void outcome.replaced;",
    oracle: "sessions",
  },
  {
    name: "bind-answer-overtaken",
    file: life,
    find: "    directory.add(outcome.session);",
    replace: "    if (outcome.replaced === undefined) directory.add(outcome.session);",
    oracle: "sessions",
  },
  {
    name: "conflict-is-told-as-a-violation",
    file: life,
    find: 'clients.end(now, session, "conflict", "Replaced by a login on another node");',
    replace:
      'clients.end(now, session, "policy-violation", "Replaced by a login on another node");',
    oracle: "courtesy",
    profile: "cluster",
  },
  {
    name: "sessions-thrown-out-are-counted-twice",
    file: life,
    find: "if (directory.remove(session)) counts.sessions.value -= 1;",
    replace:
      'if (directory.remove(session)) counts.sessions.value -= 1;\n    if (reason === "conflict") counts.sessions.value -= 1;',
    oracle: "sessions",
    profile: "cluster",
  },
  {
    name: "ended-session-stays",
    file: life,
    find: "    if (directory.remove(session)) counts.sessions.value -= 1;",
    replace: '    if (reason !== "the connection was closed") directory.remove(session);',
    oracle: "sessions",
  },
  {
    name: "hand-back-tells-nobody",
    file: traffic,
    find: "this.#performAll(now, router.bounce(opened, from, to));",
    replace: "router.bounce(opened, from, to);",
    oracle: "conservation",
  },
  {
    name: "work-answers-dropped-on-failure",
    file: "src/server/work-runner.ts",
    find: "if (error instanceof QueryFailed) return ends.failed(now, error);",
    replace: "if (error instanceof QueryFailed) return;",
    oracle: "progress",
  },
  {
    name: "work-takes-a-failure-for-no-rows",
    file: "src/server/work-runner.ts",
    find: '{ type: "failed", failure: input.failure, detail: input.detail }',
    replace: '{ type: "rows", results: [] }',
    oracle: "accounts",
  },
  {
    name: "loop-performs-effects-backwards",
    file: "src/server/loop.ts",
    find: "for (const effect of effects) this.#perform(now, effect);",
    replace: "for (const effect of effects.toReversed()) this.#perform(now, effect);",
    oracle: "courtesy",
  },
  {
    name: "registration-promises-what-may-have-failed",
    file: "src/storage/accounts.ts",
    find: 'error.failure === "constraint") return "exists";\n    throw error;',
    replace: 'error.failure === "constraint") return "exists";\n    return "created";',
    oracle: "accounts",
  },
  {
    name: "sessions-keep-the-full-entry",
    file: "src/router/sessions.ts",
    find: "if (this.#byFull.get(session.jid.full) === session) this.#byFull.delete",
    replace: "if (this.#byFull.get(session.jid.bare) === session) this.#byFull.delete",
    oracle: "sessions",
  },
  {
    name: "bind-limit-off-by-one",
    file: "src/server/binding.ts",
    find: "  if (count >= limits.max_per_user) {",
    replace: "  if (count > limits.max_per_user) {",
    oracle: "sessions",
  },
  {
    name: "scram-takes-any-proof",
    file: "src/stream/sasl/scram.ts",
    find: "  return same && proof.length === signature.length;",
    replace: "  return same || proof.length === signature.length;",
    oracle: "accounts",
  },
  {
    name: "plain-takes-any-password",
    file: "src/stream/sasl/plain.ts",
    find: "    const right = context.crypto.equal(made.storedKey, keys.storedKey);",
    replace: "    const right = made.storedKey.length === keys.storedKey.length;",
    oracle: "accounts",
  },
  {
    name: "ready-while-it-stops",
    file: "src/server/core.ts",
    find: 'this.#stopAt === undefined ? this.#cluster?.notReady(now) : "shutting down"',
    replace: "this.#cluster?.notReady(now)",
    oracle: "health",
    profile: "cluster",
  },
  {
    name: "router-takes-priority-zero-for-absent",
    file: router,
    find: "return session.available && session.priority >= 0;",
    replace: "return session.available && session.priority > 0;",
    oracle: "delivery",
  },
  {
    name: "router-bounces-what-has-a-session",
    file: "src/router/delivery-rules.ts",
    find: '    "message normal": "deliver",\n',
    replace: '    "message normal": "bounce",\n',
    oracle: "delivery",
  },
];

/** Plants where streams, sessions, router and work meet. */
import type { Plant } from "./plant.ts";

const router = "src/router/router.ts";
const core = "src/server/core.ts";

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
    find: "        return deliverTo(sessions, sender, stanza);",
    replace: "        return deliverTo([...this.#sessions.of(to)], sender, stanza);",
    oracle: "conservation",
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
    oracle: "conservation",
  },
  {
    name: "bind-conflict-closes-neither",
    file: core,
    find: 'this.#endSession(now, outcome.replaced, "conflict", "Replaced by a new login");',
    replace: "",
    oracle: "sessions",
  },
  {
    name: "bind-answer-overtaken",
    file: core,
    find: "    this.sessions.add(outcome.session);",
    replace: "    if (outcome.replaced === undefined) this.sessions.add(outcome.session);",
    oracle: "sessions",
  },
  {
    name: "ended-session-stays",
    file: core,
    find: "    if (this.sessions.remove(session)) this.#counts.sessions.value -= 1;",
    replace: '    if (reason !== "the connection was closed") this.sessions.remove(session);',
    oracle: "sessions",
  },
  {
    name: "hand-back-tells-nobody",
    file: core,
    find: "      for (const effect of this.#router.bounce(stanza, from, to)) this.#fromRouter(now, effect);",
    replace: "      this.#router.bounce(stanza, from, to);",
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
    name: "work-serves-a-closed-stream",
    file: "src/server/work-runner.ts",
    find: "if (task === undefined || task.dropped) return;",
    replace: "if (task === undefined) return;",
    oracle: "uncaught",
  },
  {
    name: "loop-drops-inputs-raised-by-ports",
    file: "src/server/loop.ts",
    find: "      this.#waiting.push({ now, input });",
    replace: "",
    oracle: "conservation",
  },
];

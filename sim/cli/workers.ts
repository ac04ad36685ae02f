/**
 * Workers: who performs tasks on all cores?
 *
 * Processes that share nothing, so that nothing of one run can reach another. With one core (or one
 * worker asked for) tasks are performed in this process. A task whose process ends instead of answering
 * has failed, and the next has another process.
 */
import { fork, type ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { root } from "./code-version.ts";
import { failedResult, perform, type Task, type TaskResult } from "./tasks.ts";
import { v8Flags } from "./v8-flags.ts";

interface Worker {
  readonly child: ChildProcess;
  settle: ((result: TaskResult) => void) | undefined;
}

export class Workers {
  readonly #count: number;
  readonly #idle: Worker[] = [];
  /** Those that live. */
  readonly #all = new Set<Worker>();
  readonly #waiting: ((worker: Worker) => void)[] = [];
  #closed = false;

  constructor(count = availableParallelism()) {
    this.#count = Math.max(1, count);
  }

  /** How many tasks are performed at once. */
  get count(): number {
    return this.#count;
  }

  async perform(task: Task): Promise<TaskResult> {
    if (this.#count === 1) {
      // In one process: let the keyboard and the progress line have their turn.
      await new Promise((resolve) => setImmediate(resolve));
      return performHere(task);
    }
    const worker = await this.#take();
    const result = await new Promise<TaskResult>((resolve) => {
      worker.settle = resolve;
      worker.child.send(task);
    });
    worker.settle = undefined;
    this.#free(worker);
    return result;
  }

  close(): void {
    this.#closed = true;
    for (const { child } of this.#all) child.kill();
  }

  #take(): Promise<Worker> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#all.size < this.#count) return Promise.resolve(this.#start());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #free(worker: Worker): void {
    const lives = this.#all.has(worker);
    const next = this.#waiting.shift();
    if (next !== undefined) next(lives ? worker : this.#start());
    else if (lives) this.#idle.push(worker);
  }

  #lose(worker: Worker, why: string): void {
    if (this.#closed) return;
    this.#all.delete(worker);
    const idle = this.#idle.indexOf(worker);
    if (idle >= 0) this.#idle.splice(idle, 1);
    worker.settle?.(failedResult(why));
  }

  #start(): Worker {
    const child = fork(join(root, "scripts", "bundled.mjs"), [join("sim", "cli", "worker.ts")], {
      cwd: root,
      execArgv: [...v8Flags],
    });
    const worker: Worker = { child, settle: undefined };
    child.on("message", (result) => worker.settle?.(result as TaskResult));
    child.on("error", (error) => this.#lose(worker, `its process failed: ${error.message}`));
    child.on("exit", (code, signal) => {
      const how = signal === null ? `code ${String(code)}` : `signal ${signal}`;
      this.#lose(worker, `its process ended with ${how}`);
    });
    this.#all.add(worker);
    return worker;
  }
}

/** What throws ends a process, of those that are others'. */
function performHere(task: Task): TaskResult {
  try {
    return perform(task);
  } catch (error) {
    return failedResult(`its process would have ended with ${String(error)}`);
  }
}

/** Runs something while the platform's clocks, timers and chance throw at whoever calls them. */

/** pg-mem fills a column that nobody reads with its own clock, and names its expressions by chance. */
const exempt = /node_modules[\\/](?:pg-mem|moment)/;

export function fenced<T>(act: () => T): T {
  const realDate = globalThis.Date;
  const { random } = Math;
  const { setTimeout: timeout, setInterval: interval, setImmediate: immediate } = globalThis;
  const guard = <A extends unknown[], R>(name: string, real: (...args: A) => R) =>
    ((...args: A): R => {
      const stack = new Error("who").stack ?? "";
      if (exempt.test(stack)) return real(...args);
      throw new Error(`${name} was called within the simulator`);
    }) as unknown;
  const date = new Proxy(realDate, {
    construct: (target, args: [number]) =>
      args.length > 0
        ? new target(...args)
        : (guard("new Date()", () => new target()) as () => Date)(),
    get: (target, property) =>
      property === "now"
        ? guard("Date.now", () => target.now())
        : (Reflect.get(target, property) as unknown),
  });
  try {
    globalThis.Date = date;
    Math.random = guard("Math.random", () => random()) as typeof random;
    globalThis.setTimeout = guard("setTimeout", timeout) as typeof timeout;
    globalThis.setInterval = guard("setInterval", interval) as typeof interval;
    globalThis.setImmediate = guard("setImmediate", immediate) as typeof immediate;
    return act();
  } finally {
    globalThis.Date = realDate;
    Math.random = random;
    globalThis.setTimeout = timeout;
    globalThis.setInterval = interval;
    globalThis.setImmediate = immediate;
  }
}

/**
 * Zoo run: how many seeds until this bug is seen? The entry of the bundle that the zoo makes per plant.
 *
 *     node build/zoo/NAME.mjs ORACLE FIRST LAST   prints one line of JSON
 */
import { planFromSeed, profiles } from "../plan-from-seed.ts";
import { run } from "../run.ts";
import { runPorts } from "./ports.ts";

const [oracle = "", first = "1", last = "1"] = process.argv.slice(2);
const ports = runPorts();
let found: { seed: number; oracle: string; what: string } | undefined;
const others = new Set<string>();
let runs = 0;
for (let seed = Number(first); seed <= Number(last) && found === undefined; seed++) {
  runs += 1;
  let failures: readonly { oracle: string; what: string }[];
  try {
    ({ failures } = run(planFromSeed(seed, profiles.small), ports));
  } catch (error) {
    // A bug that reaches the simulator itself is seen, but not by an oracle.
    failures = [{ oracle: "uncaught", what: String(error) }];
  }
  const failure = failures.find((each) => each.oracle === oracle);
  if (failure !== undefined) found = { seed, ...failure };
  else for (const each of failures) others.add(each.oracle);
}
console.log(JSON.stringify({ runs, found, others: [...others] }));

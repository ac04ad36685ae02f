/**
 * Command line of the simulator: one file per verb.
 *
 * The outside of the simulator: reads and writes files, measures real time, prints. What happens in a
 * run is decided inside, by the plan alone.
 */
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { profiles } from "../plan-from-seed.ts";
import { defaultProfile } from "../repro.ts";
import { demo } from "./demo.ts";
import { diff } from "./diff.ts";
import { hunt } from "./hunt.ts";
import { report } from "./report.ts";
import { replay, run } from "./run.ts";
import { shrink } from "./shrink.ts";
import { subjectOfFlags, type SubjectFlags } from "./subject.ts";
import { told } from "./told.ts";
import { verifyFile } from "./verify.ts";

const profileHelp = `kind of plan: ${Object.keys(profiles).join(", ")}`;
const subjectHelp = "a repro line, a seed, the file of a plan, or a trace file";

const program = new Command("sim")
  .description("Meerkat in a simulated world: one seed, one plan, one trace")
  .addHelpText(
    "after",
    `
From a seed to a fixed bug:
  hunt --minutes 5      finds a seed that fails and prints its repro line
  replay REPRO          runs it again, here or on another machine
  report REPRO          shows it as one page of HTML
  shrink REPRO          makes the smallest plan that still fails, and a regression test of it
Each verb explains itself: sim VERB --help. All of it: docs/simulator.md.`,
  );

program
  .command("demo")
  .description(
    "a small world in ten seconds: three nodes, a split, a crash, a heal; told as a story",
  )
  .option("--seed <number>", "which small world", "7")
  .action(demo);

program
  .command("run")
  .description("one run; the last line is the hash of its trace")
  .argument("[repro]", `instead of --seed or --plan: ${subjectHelp}`)
  .option("--seed <number>", "makes the plan")
  .option("--plan <file>", "a plan as JSON, or a repro line, instead of a seed")
  .option("--profile <name>", `of a seed: ${profileHelp} (default: "${defaultProfile}")`)
  .option("--trace <file>", "write every event as JSON Lines (docs/reference/trace.md)")
  .option("--story", "print what happens in words")
  .option("--wire", "print every byte that nodes receive and send")
  .option("--twice", "run it twice, and print the first difference if there is one")
  .option("--json", "print the summary as JSON")
  .action(run);

program
  .command("replay")
  .description("runs what a repro line or a plan file stands for, and prints the summary")
  .argument("<repro>", subjectHelp)
  .option("--until <time>", "stop at this moment of virtual time: 12500 (ms) or 12.5s")
  .option("--trace <file>", "write every event as JSON Lines")
  .option("--story", "print what happens in words")
  .option("--wire", "print every byte that nodes receive and send")
  .option("--json", "print the summary as JSON")
  .action(replay);

program
  .command("hunt")
  .description("many seeds on all cores; prints each failure with the line that repeats it")
  .option("--minutes <number>", "for so long")
  .option("--seeds <first..last>", "these seeds, e.g. 1..200")
  .option("--offset <block>", "which block of 10⁹ seeds; machines that hunt together differ", "0")
  .option("--profile <name>", profileHelp, defaultProfile)
  .option("--failures <count>", "stop after so many seeds that failed", "10")
  .option("--twice-every <n>", "run every n-th seed twice and compare; 0: none", "20")
  .option("--workers <count>", "processes; as many as cores unless said")
  .option("--json", "print the sum as JSON")
  .addHelpText(
    "after",
    `
Exit code 1 if a seed failed, two runs of one seed differed, or an oracle judged nothing at all
to which such runs can come (those of a node alone come to nothing that is between nodes).
Seeds are handed out one by one, so no two workers run the same. Ctrl+C ends it with its sum.`,
  )
  .action(hunt);

program
  .command("shrink")
  .description("the smallest plan that fails in the same way, as a file and as a regression test")
  .argument("<repro>", subjectHelp)
  .option("--oracle <name>", "whose failure to keep; otherwise the first")
  .option("--name <lesson>", "write it to test/sim/regressions/LESSON.json, which npm test runs")
  .option("--out <file>", "write it there; otherwise to build/sim/")
  .option("--seconds <count>", "be content with the smallest found after so long", "120")
  .option("--workers <count>", "processes; as many as cores unless said")
  .option("--json", "print what was found as JSON")
  .action(shrink);

program
  .command("report")
  .description("writes one page of HTML that shows a run at a glance; opens without a network")
  .argument("<repro>", subjectHelp)
  .option("--out <file>", "where to; otherwise to build/sim/")
  .option("--json", "print where it is as JSON")
  .action(report);

program
  .command("plan")
  .description("writes the plan that a seed stands for, to be edited and run")
  .requiredOption("--seed <number>", "makes the plan")
  .option("--profile <name>", profileHelp, defaultProfile)
  .argument("[file]", "where to; otherwise it is printed")
  .action((file: string | undefined, flags: SubjectFlags) => {
    const text = `${JSON.stringify(subjectOfFlags(flags).plan, null, 2)}\n`;
    if (file === undefined) process.stdout.write(text);
    else writeFileSync(file, text);
  });

program
  .command("diff")
  .description("the first difference of two trace files; exit code 1 if there is one")
  .argument("<one>")
  .argument("<other>")
  .action(diff);

program
  .command("verify")
  .description("feed a recording of a real node to the same core; equal, or the first difference")
  .argument("<file>")
  .action((file: string) => {
    const verdict = verifyFile(file);
    console.log(verdict.text);
    if (!verdict.equal) process.exitCode = 1;
  });

// Whoever reads us may stop early (`| head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});
// Commander has said what was wrong, or shown what it was asked to show.
for (const command of [program, ...program.commands]) {
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = told(error);
}

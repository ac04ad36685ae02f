/** The simulator's report in a real browser: its script runs, draws, and fills the panel. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { demoPlan } from "../../sim/cli/demo.ts";
import { runRecorded } from "../../sim/cli/record.ts";
import { reportPage } from "../../sim/report/page.ts";
import { readTrace } from "../../sim/trace-file.ts";

const chromium = "/usr/bin/chromium";
const possible = existsSync(chromium);
if (!possible) console.log(`report in a browser: skipped, since there is no ${chromium}`);

test.skipIf(!possible)(
  "report: a browser draws it, and shows the moment that its address names",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "meerkat-report-"));
    const file = join(folder, "report.html");
    const trace = readTrace(runRecorded(demoPlan(7), "1.2.3").lines);
    writeFileSync(file, reportPage(trace));
    const words = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      `--user-data-dir=${folder}/profile`,
    ];
    const dom = execFileSync(chromium, [...words, "--dump-dom", `file://${file}#t=4200`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 60_000,
    });
    const drawn = dom.slice(0, dom.indexOf("<script"));
    // Set at the end of the first drawing.
    expect(drawn).toContain('data-drawn="17 lanes"');
    expect(drawn).toContain('id="cursor" class="mono">4.200 s<');
    expect(drawn).toContain("in safety");
    expect(drawn).toContain("fault split on n1|n2,n3 until 5.500 s");
    // n1 is alone: what it shows of the others is what it had, whether or not they have written since.
    expect(drawn).toMatch(/<option value="\d+">sessions<\/option>/);
    for (const node of ["n1", "n2", "n3"]) {
      expect(drawn).toMatch(
        new RegExp(`<th>${node}</th>(<td[^>]*class="cell-(same|behind)">[^<]*</td>){3}`),
      );
    }
  },
);

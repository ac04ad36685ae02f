/**
 * The zoo's plants: can each still be planted, and is there an oracle to see it? Running them takes long
 * (`npm run zoo`); that the code they change has moved away is told here, at once.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { purposes } from "../../sim/cli/zoo-matrix.ts";
import { makeOracles } from "../../sim/oracles/index.ts";
import { planFromSeed } from "../../sim/plan-from-seed.ts";
import { plants } from "../../sim/zoo/index.ts";
import { infect, type Plant } from "../../sim/zoo/plant.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const oracles = makeOracles(planFromSeed(1)).map(({ name }) => name);

describe("the zoo", () => {
  it.each(plants)("can plant $name", (plant) => {
    const source = readFileSync(join(root, plant.file), "utf8");
    expect(infect(plant, source)).not.toBe(source);
    expect(oracles).toContain(plant.oracle);
  });

  it("has one plant of each name", () => {
    const names = plants.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it("says whether each oracle sees something that no other does", () => {
    const rows = [
      { name: "one", found: true, seen: ["a"] },
      { name: "both", found: true, seen: ["a", "b"] },
    ];
    const { lines, complete } = purposes(rows, ["a", "b"]);
    expect(complete).toBe(false);
    expect(lines.at(-1)).toBe("switched off, none is missed of: b");
    const more = [...rows, { name: "other", found: true, seen: ["b"] }];
    expect(purposes(more, ["a", "b"]).complete).toBe(true);
    expect(purposes(more, ["a", "b"]).lines.at(-1)).toContain("any one of the 2 oracles lowers");
  });

  it("refuses to plant where its text occurs never, or twice", () => {
    const plant: Plant = {
      name: "loses-b",
      file: "src/a.ts",
      find: "b();",
      replace: "",
      oracle: "uncaught",
    };
    expect(infect(plant, "a(); b(); c();")).toBe("a();  c();");
    expect(() => infect(plant, "a(); c();")).toThrow("occurs 0 times");
    expect(() => infect(plant, "b(); b();")).toThrow("occurs 2 times");
  });
});

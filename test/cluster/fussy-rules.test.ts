/** The rules that look fussy (docs/cluster.md): each has a test, and each test marked † is of one of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

function testsIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .flatMap((path) => [
      ...readFileSync(join(root, folder, path), "utf8").matchAll(/^test\("(.*†.*)", /gm),
    ])
    .map(([, name = ""]) => name);
}

test("fussy rules: the table of rules names all tests that are marked, and no others", () => {
  const document = readFileSync(join(root, "docs/cluster.md"), "utf8");
  const named = [...document.matchAll(/\| ([^|]*†[^|]*?) *\|$/gm)].map(([, name = ""]) => name);
  const marked = [...testsIn("test"), ...testsIn("properties")];
  expect(named.toSorted()).toEqual(marked.toSorted());
  expect(named.length).toBeGreaterThanOrEqual(18);
});

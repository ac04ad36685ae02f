import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type * as z from "zod";
import { configurationText } from "../../scripts/reference.ts";
import { core, shapeOf } from "../../src/server/config/explain.ts";
import { notYet } from "../../src/server/config/not-yet.ts";
import { parseConfig } from "../../src/server/config/parse.ts";
import { fileSchema } from "../../src/server/config/schema.ts";

const page = fileURLToPath(new URL("../../docs/reference/configuration.md", import.meta.url));

test("config: the reference is what `npm run docs` writes today", () => {
  expect(readFileSync(page, "utf8")).toBe(configurationText());
});

test("config: the example in the reference is a configuration", () => {
  const [, example = ""] = /```toml\n([^]*?)```/.exec(configurationText()) ?? [];
  const { errors, config } = parseConfig(
    example,
    () => "secret",
    () => "a secret of a file",
  );
  expect(errors).toBeUndefined();
  expect(config?.listen.map(({ name }) => name)).toEqual([
    "c2s-5222",
    "c2s-5223",
    "http-5443",
    "http-9090",
  ]);
});

/** Options of a section, whether it is a table, a list of tables, or tables by name. */
function optionsAt(section: string): readonly string[] {
  let schema: z.core.$ZodType | undefined = fileSchema;
  for (const name of section.split(".").filter((each) => each !== "")) {
    schema = name === "*" ? schema : shapeOf(schema ?? fileSchema)?.[name];
    if (schema === undefined) throw new Error(`there is no section ${section}`);
    for (let { def } = core(schema) as z.ZodType; ; { def } = core(schema) as z.ZodType) {
      if (def.type === "array") schema = (core(schema) as z.ZodArray).element;
      else if (def.type === "record") schema = (core(schema) as z.ZodRecord).valueType;
      else break;
    }
  }
  return Object.keys(shapeOf(schema) ?? {});
}

test("config: nothing is both supported and refused as not supported yet", () => {
  const both = [...notYet].flatMap(([section, refused]) => {
    const supported = optionsAt(section);
    return refused.filter((name) => supported.includes(name)).map((name) => `${section}.${name}`);
  });
  expect(both).toEqual([]);
  expect(optionsAt("acl.*")).toContain("user"); // the walk finds what is there
  expect(optionsAt("listen.c2s.tls")).toContain("certfile");
});

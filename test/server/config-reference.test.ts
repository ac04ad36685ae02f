import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { configurationText } from "../../scripts/reference.ts";
import { parseConfig } from "../../src/server/config/parse.ts";

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

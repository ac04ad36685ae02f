#!/usr/bin/env node
/** The command `meerkat`: the built program, built first if this is a clone that never was. */
import { existsSync } from "node:fs";

const main = new URL("../dist/src/cli/main.js", import.meta.url);
if (!existsSync(main)) {
  const { build, install } = await import("../scripts/ready.mjs");
  await install();
  await build();
}
process.setSourceMapsEnabled(true);
await import(main.href);

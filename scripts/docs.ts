/** Docs: writes the generated pages of docs/. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { configurationText } from "./reference.ts";
import { xepsText } from "./xeps.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const pages = {
  "docs/reference/configuration.md": configurationText(),
  "docs/xeps.md": xepsText(),
};
for (const [path, text] of Object.entries(pages)) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.log(path);
}

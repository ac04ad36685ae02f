/** Build: src/ to dist/, skipped when dist/ was made from the same sources. */
import { build, install } from "./ready.mjs";

await install();
await build();

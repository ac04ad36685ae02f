/** `meerkat serve --config FILE`: a node, as it runs in production. */
import { readConfig } from "./config-file.ts";
import { Failure } from "./failure.ts";
import { startNode } from "./node.ts";
import { runUntilStopped } from "./run-until-stopped.ts";

export async function serve(options: { config: string; record?: string }): Promise<void> {
  const config = readConfig(options.config);
  if (config.listen.length === 0) {
    const what = "add [[listen.c2s]] or [[listen.http]]";
    throw new Failure(`${options.config} has no listener: ${what}.`);
  }
  const node = await startNode({ config, record: options.record });
  const code = await runUntilStopped({ node, shutdownTimeout: config.general.shutdown_timeout });
  process.exit(code);
}

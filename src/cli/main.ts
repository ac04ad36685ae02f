/**
 * Main: the command `meerkat`, one file per verb.
 *
 * Verbs are loaded when called: `config check` should not wait for what `serve` needs. A `Failure` is
 * one clear line and an exit code; anything else is a bug and keeps its trace.
 */
import { Command } from "commander";
import { version } from "../server/server.ts";
import { defaultData } from "./dev-config.ts";
import { Failure } from "./failure.ts";

const program = new Command("meerkat")
  .description("An XMPP server.")
  .version(version)
  .showHelpAfterError();

program
  .command("dev")
  .description("run a development node on 127.0.0.1 with a database of its own")
  .option("--data <folder>", "where the database and the certificate are kept", defaultData)
  .option("--port <number>", "the port for clients (5222); the others follow it", Number)
  .option("--nodes <number>", "how many nodes, as one server (1)", Number)
  .action(async (options: { data: string; port?: number; nodes?: number }) => {
    const { dev } = await import("./dev.ts");
    await dev(options);
  });

program
  .command("serve")
  .description("run a node")
  .requiredOption("--config <file>", "its configuration, in TOML")
  .option(
    "--workers <number>",
    "how many processes share its ports (1; as many as there are cores if NODE_ENV is production)",
    Number,
  )
  .option(
    "--record <file>",
    "write down every input, to be replayed; it contains USER DATA: all that clients send, in clear text",
  )
  .action(async (options: { config: string; record?: string; workers?: number }) => {
    const { serve } = await import("./serve.ts");
    await serve(options);
  });

program
  .command("config")
  .description("look at configurations")
  .command("check")
  .argument("<file>")
  .description("say everything that is wrong with a configuration")
  .action(async (file: string) => {
    const { checkConfig } = await import("./config.ts");
    checkConfig(file);
  });

program
  .command("cluster")
  .description("look at the cluster")
  .command("status")
  .description("say what a node sees of its cluster; the exit code is 2 where something is wrong")
  .option("--url <url>", "an HTTP listener of the node that serves metrics")
  .option("--config <file>", "the node's configuration, which names that listener")
  .option("--json", "as the node said it")
  .action(async (options: { url?: string; config?: string; json?: boolean }) => {
    const { showClusterStatus } = await import("./cluster-status.ts");
    await showClusterStatus(options);
  });

const account = program.command("account").description("manage accounts in the node's database");

/** The options that say which database is meant. */
const onDatabase = (command: Command): Command =>
  command
    .option("--config <file>", "the node's configuration; without it, the development database")
    .option("--data <folder>", "where `meerkat dev` keeps its database", defaultData);

interface Where {
  readonly config?: string;
  readonly data: string;
}

onDatabase(account.command("register"))
  .argument("<jid>", "such as alice@localhost")
  .argument("[password]", "asked for, or read from standard input, if not given")
  .description("make an account")
  .action(async (jid: string, password: string | undefined, where: Where) =>
    (await import("./account.ts")).registerAccount(where, jid, password),
  );

onDatabase(account.command("remove"))
  .argument("<jid>")
  .description("delete an account and all it owns")
  .action(async (jid: string, where: Where) =>
    (await import("./account.ts")).removeAccount(where, jid),
  );

onDatabase(account.command("password"))
  .argument("<jid>")
  .argument("[password]", "asked for, or read from standard input, if not given")
  .description("set an account's password")
  .action(async (jid: string, password: string | undefined, where: Where) =>
    (await import("./account.ts")).setPassword(where, jid, password),
  );

onDatabase(account.command("list"))
  .argument("<host>", "such as localhost")
  .description("list the accounts of a host")
  .action(async (host: string, where: Where) =>
    (await import("./account.ts")).listAccounts(where, host),
  );

onDatabase(account.command("check"))
  .argument("<jid>")
  .argument("[password]", "if given, is it the right one?")
  .description("does the account exist? The exit code says it: 0 yes, 1 no")
  .action(async (jid: string, password: string | undefined, where: Where) =>
    (await import("./account.ts")).checkAccount(where, jid, password),
  );

onDatabase(account.command("import"))
  .argument("<file>", "one account a line: JID, a tab or comma, password")
  .description("make many accounts, hashing on all cores")
  .action(async (file: string, where: Where) =>
    (await import("./account.ts")).importAccounts(where, file),
  );

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}

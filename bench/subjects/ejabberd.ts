/**
 * ejabberd as a subject, in a lean profile: it routes, and has no roster, archive, offline storage,
 * carbons or stream management. One virtual machine without distribution, storage in memory and Mnesia.
 */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { password } from "../load/spec.ts";
import {
  accounts,
  freePort,
  installed,
  startServer,
  temporaryFolder,
  type StartOptions,
  type Subject,
} from "./subject.ts";

const libraries = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/ejabberd"];

export const ejabberd: Subject = {
  name: "ejabberd",
  unavailable() {
    const found = installed("/usr/sbin/ejabberdctl", "/usr/bin/erl") && libraryFolder();
    return found === false || found === undefined ? "not installed (ejabberd)" : undefined;
  },
  async start(options) {
    const port = await freePort();
    const folder = temporaryFolder("ejabberd");
    writeFileSync(join(folder, "ejabberd.yml"), configuration(port, options));
    const ready = join(folder, "accounts-ready");
    return startServer({
      command: "erl",
      args: [
        ...["+K", "true", "+P", "250000", "-noinput"],
        ...["-mnesia", "dir", `"${join(folder, "database")}"`],
        ...["-s", "ejabberd", "-eval", makeAccounts(ready)],
      ],
      env: {
        HOME: folder,
        ERL_LIBS: libraryFolder() ?? "",
        ERL_MAX_PORTS: "32000",
        ERL_CRASH_DUMP_BYTES: "0",
        EJABBERD_CONFIG_PATH: join(folder, "ejabberd.yml"),
        EJABBERD_LOG_PATH: join(folder, "ejabberd.log"),
        CONTRIB_MODULES_PATH: join(folder, "contrib"),
      },
      folder,
      port,
      ready: () => existsSync(ready),
    });
  },
};

/** Debian keeps Erlang applications beside the C libraries. */
function libraryFolder(): string | undefined {
  return libraries.find(
    (folder) =>
      existsSync(folder) && readdirSync(folder).some((name) => name.startsWith("ejabberd-")),
  );
}

function configuration(port: number, { tls, certificate }: StartOptions): string {
  const { certfile, keyfile } = certificate;
  return `
loglevel: error
hosts: [localhost]
${tls ? `certfiles: ["${certfile}", "${keyfile}"]` : ""}
listen:
  - port: ${port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    backlog: 1024
    tls: ${tls}
auth_method: internal
auth_password_format: scram
disable_sasl_mechanisms: [digest-md5, x-oauth2]
shaper_rules:
  max_user_sessions: 10
modules:
  mod_disco: {}
  mod_ping: {}
`;
}

/** ejabberd makes the first account; the others get its keys, so that 5,000 take no longer than one. */
function makeAccounts(ready: string): string {
  return `spawn(fun() ->
    Started = fun Wait() ->
      case lists:keymember(ejabberd, 1, application:which_applications()) of
        true -> ok;
        false -> timer:sleep(200), Wait()
      end
    end,
    Started(),
    ok = ejabberd_auth:try_register(<<"u0">>, <<"localhost">>, <<"${password}">>),
    [Keys] = mnesia:dirty_read(passwd, {<<"u0">>, <<"localhost">>}),
    lists:foreach(fun(I) ->
      Name = list_to_binary("u" ++ integer_to_list(I)),
      mnesia:dirty_write(passwd, setelement(2, Keys, {Name, <<"localhost">>}))
    end, lists:seq(1, ${accounts - 1})),
    ok = file:write_file("${ready}", <<"yes">>)
  end).`;
}

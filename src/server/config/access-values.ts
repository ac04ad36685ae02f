/** Access values: the rules of a file, with the lists that they name put in. */
import { prepareDomain, prepareResource, prepareUsername } from "../../xmpp/jid.ts";
import type { AccessRule, AclPattern } from "../access.ts";
import type { Problem } from "./explain.ts";
import type { KeyPath } from "./key-lines.ts";
import { nearest } from "./nearest.ts";
import type { ConfigFile } from "./schema.ts";

interface FileRule<T> {
  readonly acl: string;
  readonly value: T;
}

/** `path` is where the rules stand. */
export function rulesOf<T>(
  file: ConfigFile,
  path: KeyPath,
  rules: readonly FileRule<T>[],
  problems: Problem[],
): readonly AccessRule<T>[] {
  return rules.map(({ acl, value }, at) => {
    const patterns = patternsOf(file, acl);
    if (patterns !== undefined) return { acl: patterns, value };
    const near = nearest(acl, [...Object.keys(file.acl), "all", "none"]);
    const hint = near === undefined ? `there is no acl.${acl}` : `did you mean "${near}"?`;
    problems.push({ path: [...path, at, "acl"], message: `names no list: ${hint}` });
    return { acl: [], value };
  });
}

function patternsOf({ acl }: ConfigFile, name: string): readonly AclPattern[] | undefined {
  if (!Object.hasOwn(acl, name)) return name === "all" ? [{}] : name === "none" ? [] : undefined;
  // Everybody who can log in is of a domain of ours: the kinds of match differ in `none` only.
  const some = (acl[name] ?? []).filter(({ match }) => match !== "none");
  return some.map(({ user, server, resource }) => ({
    ...(user === undefined ? {} : { user: prepareUsername(user) ?? user }),
    ...(server === undefined ? {} : { server: prepareDomain(server) ?? server }),
    ...(resource === undefined ? {} : { resource: prepareResource(resource) ?? resource }),
  }));
}

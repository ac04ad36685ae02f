/** Reference: every option of the configuration, as the schema says it of itself. */
import type * as z from "zod";
import { core, notesOf, shapeOf } from "../src/server/config/explain.ts";
import { notYet } from "../src/server/config/not-yet.ts";
import { fileSchema } from "../src/server/config/schema.ts";

const generated = "<!-- Written by `npm run docs` from src/server/config/schema.ts. -->";

export function configurationText(): string {
  const sections = Object.entries(fileSchema.shape).map(([name, schema]) =>
    [`## \`[${name}]\``, notesOf(schema).about ?? "", ...sectionOf(schema, name)].join("\n\n"),
  );
  return ["# Configuration", generated, intro, ...sections, refused(), outro]
    .join("\n\n")
    .replace(/\n{3,}/g, "\n\n");
}

const intro = `\`meerkat serve --config meerkat.toml\` reads one TOML file. Sections and options bear the names that MongooseIM's
configuration has, wherever the same thing is meant; what exists only here begins with "Ours". What MongooseIM has and Meerkat does not
yet is refused as "not supported yet", never ignored.

- The whole file is validated before anything starts, and every error is told at once: with its line, the option, what is allowed and
  the nearest known name. \`meerkat config check meerkat.toml\` does only that.
- Periods are in **milliseconds** and sizes in **bytes**, as integers; \`10_000\` is the same as \`10000\`.
- Paths of files are relative to the folder of the configuration file.
- A secret may be written \`{ env = "NAME" }\` (from the environment) or \`{ file = "PATH" }\` (a file's content without the
  newline at its end).
- \`SIGHUP\` reads the certificates again; everything else needs a restart.`;

/** What a file for MongooseIM may have and ours may not: whole sections first. */
function refused(): string {
  const rows = [...notYet].map(([section, names]) => {
    const where = section === "" ? "the file itself" : `\`${section.replace("*", "NAME")}\``;
    return `| ${where} | ${names.map((name) => `\`${name}\``).join(", ")} |`;
  });
  return [
    "## Not supported yet",
    `Sections, options and modules of MongooseIM that are refused by name. There is no \`s2s\`: the node talks to
no other servers, and a stanza to a foreign domain is answered \`remote-server-not-found\`.`,
    `| in | refused |\n| --- | --- |\n${rows.join("\n")}`,
  ].join("\n\n");
}

const outro = `## Example

\`\`\`toml
[general]
  hosts = ["example.org"]

[[listen.c2s]]
  port = 5222
  tls.certfile = "example.org.pem"
  tls.keyfile = "example.org.key"

[[listen.c2s]]
  port = 5223
  tls.mode = "tls"
  tls.certfile = "example.org.pem"
  tls.keyfile = "example.org.key"

[[listen.http]]
  port = 5443
  tls.certfile = "example.org.pem"
  tls.keyfile = "example.org.key"
  [[listen.http.handlers.mongoose_websocket_handler]]
    path = "/ws-xmpp"

[[listen.http]]
  ip_address = "127.0.0.1"
  port = 9090
  [[listen.http.handlers.mongoose_prometheus_handler]]

[outgoing_pools.rdbms.default.connection]
  host = "db.example.org"
  database = "meerkat"
  username = "meerkat"
  password = { env = "MEERKAT_DB_PASSWORD" }

[cluster]
  advertised_address = { env = "POD_IP" }
  secret = { file = "/run/secrets/meerkat-cluster" }
\`\`\`
`;

/** A section of named tables, or one with options. */
function sectionOf(schema: z.core.$ZodType, name: string): readonly string[] {
  const table = tableOf(schema);
  if (table === undefined || shapeOf(schema) !== undefined) return optionsOf(schema, name);
  return [`### \`${table.text(name)}\``, ...optionsOf(table.schema, table.path(name))];
}

/** Rows of a section's own options, then its tables, each under its own heading. */
function optionsOf(schema: z.core.$ZodType, at: string): readonly string[] {
  const rows: string[] = [];
  const tables: string[] = [];
  for (const [name, option] of Object.entries(shapeOf(schema) ?? {})) {
    const path = `${at}.${name}`;
    const table = tableOf(option);
    const about = notesOf(option).about ?? "";
    if (table === undefined || Object.keys(shapeOf(table.schema) ?? {}).length === 0) {
      rows.push(`| \`${name}\` | ${allowed(option)} | ${fallback(option)} | ${about} |`);
    } else {
      const heading = table.text(path);
      tables.push(`### \`${heading}\``, about, ...optionsOf(table.schema, table.path(path)));
    }
  }
  if (rows.length === 0) return tables;
  return [
    "| option | allowed | default | meaning |\n| --- | --- | --- | --- |\n" + rows.join("\n"),
    ...tables,
  ];
}

interface Table {
  readonly schema: z.core.$ZodType;
  readonly text: (path: string) => string;
  readonly path: (path: string) => string;
}

/** The option as a table of options, if it is one: `[a]`, `[[a]]` or `[a."NAME"]`. */
function tableOf(option: z.core.$ZodType): Table | undefined {
  const inner = core(option) as z.ZodType;
  if (inner.def.type === "object") {
    return { schema: inner, text: (path) => `[${path}]`, path: (path) => path };
  }
  if (inner.def.type === "array") {
    const schema = (inner as z.ZodArray).element;
    if (shapeOf(schema) === undefined) return undefined;
    return { schema, text: (path) => `[[${path}]]`, path: (path) => path };
  }
  if (inner.def.type === "record") {
    const named = (path: string): string => `${path}."${path.endsWith("hosts") ? "HOST" : "NAME"}"`;
    const value = core((inner as z.ZodRecord).valueType) as z.ZodType;
    if (value.def.type === "array") {
      const schema = (value as z.ZodArray).element;
      return { schema, text: (path) => `[[${named(path)}]]`, path: named };
    }
    return { schema: value, text: (path) => `[${named(path)}]`, path: named };
  }
  return undefined;
}

function allowed(option: z.core.$ZodType): string {
  const { allowed } = notesOf(option);
  if (allowed !== undefined) return allowed.replaceAll(/"([^"]*)"/g, '`"$1"`');
  const inner = core(option) as z.ZodType;
  if (inner.def.type !== "array") return "an empty table";
  const each = notesOf((inner as z.ZodArray).element).allowed ?? "";
  return `a list, each ${each}`.replaceAll(/"([^"]*)"/g, '`"$1"`');
}

function fallback(option: z.core.$ZodType): string {
  const { def } = option as z.ZodType;
  if (def.type === "default") {
    return `\`${JSON.stringify((option as z.ZodDefault).def.defaultValue)}\``.replaceAll(",", ", ");
  }
  return def.type === "optional" ? "–" : "required";
}

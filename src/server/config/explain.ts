/**
 * Explain: what is wrong at this path of the file, what is allowed there, and what was probably meant?
 *
 * Everything is read from the schema itself, so an option added there is explained without a line here.
 */
import type * as z from "zod";
import { nearest } from "./nearest.ts";
import type { KeyPath } from "./key-lines.ts";
import type { OptionNotes } from "./options.ts";
import { isNotYet } from "./not-yet.ts";
import { fileSchema } from "./schema.ts";

type Schema = z.core.$ZodType;

/** One thing wrong with the file. */
export interface Problem {
  readonly path: KeyPath;
  readonly message: string;
}

/** Peels `.optional()`, `.default()` and `.prefault()` off. */
export function core(schema: Schema): Schema {
  let inner = schema as z.ZodType;
  while (
    inner.def.type === "optional" ||
    inner.def.type === "default" ||
    inner.def.type === "prefault"
  ) {
    inner = (inner as z.ZodOptional<z.ZodType>).def.innerType;
  }
  return inner;
}

/** What the schema says of itself, the outer layer first. */
export function notesOf(schema: Schema): OptionNotes {
  let found: OptionNotes = {};
  for (
    let inner = schema as z.ZodType;
    ;
    inner = (inner as z.ZodOptional<z.ZodType>).def.innerType
  ) {
    found = { ...(inner.meta() as OptionNotes | undefined), ...found };
    if (inner === core(inner)) return found;
  }
}

export function shapeOf(schema: Schema): Readonly<Record<string, z.ZodType>> | undefined {
  const inner = core(schema) as z.ZodType;
  return inner.def.type === "object" ? (inner as z.ZodObject).shape : undefined;
}

function step(schema: Schema, key: string | number): Schema | undefined {
  const inner = core(schema) as z.ZodType;
  switch (inner.def.type) {
    case "object":
      return shapeOf(inner)?.[String(key)];
    case "array":
      return (inner as z.ZodArray).element;
    case "record":
      return (inner as z.ZodRecord).valueType;
    default:
      return undefined;
  }
}

function schemaAt(path: KeyPath): Schema | undefined {
  let schema: Schema | undefined = fileSchema;
  for (const key of path) schema = schema === undefined ? undefined : step(schema, key);
  return schema;
}

/** `listen.c2s[1].port`: lists as people count them, since that is how they look for one. */
export function pathText(path: KeyPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key + 1}]`;
    const name = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

export function explain(issue: z.core.$ZodIssue, file: unknown): readonly Problem[] {
  const path = issue.path.map((key) => (typeof key === "number" ? key : String(key)));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(path, key) }));
  }
  if (issue.code === "invalid_key") {
    const name = String(path.at(-1));
    return [{ path, message: `"${name}" must be a domain name such as "example.org"` }];
  }
  const schema = schemaAt(path);
  const allowed = schema === undefined ? "something else" : allowedOf(schema);
  const value = valueAt(file, path);
  if (value === undefined) return [{ path, message: `is required: ${allowed}` }];
  const suggestion = typeof value === "string" ? nearestValue(issue, value) : "";
  return [{ path, message: `must be ${allowed}, not ${shown(value)}${suggestion}` }];
}

function allowedOf(schema: Schema): string {
  const { allowed } = notesOf(schema);
  if (allowed !== undefined) return allowed;
  const inner = core(schema) as z.ZodType;
  if (inner.def.type === "array") {
    const element = (inner as z.ZodArray).element;
    return `a list, each ${notesOf(element).allowed ?? "a table"}`;
  }
  return "a table";
}

function nearestValue(issue: z.core.$ZodIssue, value: string): string {
  if (issue.code !== "invalid_value") return "";
  const meant = nearest(value, issue.values.map(String));
  return meant === undefined ? "" : `; did you mean "${meant}"?`;
}

function unknownKey(path: KeyPath, key: string): string {
  const names = path.filter((part) => typeof part === "string");
  if (isNotYet([...names, key])) {
    const what = names.join(".") === "modules" ? "a module that is " : "";
    return `is ${what}not supported yet`;
  }
  if (names.join(".") === "modules" && key.startsWith("mod_")) {
    const meant = nearest(key, Object.keys(shapeOf(schemaAt(path) ?? fileSchema) ?? {}));
    if (meant === undefined) return "is a module that is not supported yet";
  }
  const siblings = Object.keys(shapeOf(schemaAt(path) ?? fileSchema) ?? {}).toSorted();
  const meant = nearest(key, siblings);
  if (meant !== undefined) return `is not known; did you mean "${meant}"?`;
  const elsewhere = placesOf(key, fileSchema, "")[0];
  if (elsewhere !== undefined) return `is not known here; did you mean "${elsewhere}"?`;
  const listed = siblings.length === 0 ? "nothing" : siblings.join(", ");
  return `is not known; allowed here: ${listed}`;
}

/** Where in the whole file an option of this very name exists. */
function placesOf(key: string, schema: Schema, at: string): readonly string[] {
  const inner = core(schema) as z.ZodType;
  if (inner.def.type === "array") return placesOf(key, (inner as z.ZodArray).element, at);
  if (inner.def.type === "record") return [];
  return Object.entries(shapeOf(inner) ?? {}).flatMap(([name, option]) => {
    const path = at === "" ? name : `${at}.${name}`;
    return name === key ? [path] : placesOf(key, option, path);
  });
}

function valueAt(file: unknown, path: KeyPath): unknown {
  let value = file;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

/** A value as the file would write it, short. */
function shown(value: unknown): string {
  if (Array.isArray(value) && value.some((item) => typeof item === "object")) return "a list";
  // A table is not shown: it may be a secret of a kind that we do not know.
  if (typeof value === "object" && !Array.isArray(value)) return "a table";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

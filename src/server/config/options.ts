/**
 * Options: the kinds of value that a configuration file may hold, each with its allowed values in words.
 *
 * The words serve twice: in the error about a wrong value, and in docs/reference/configuration.md.
 */
import * as z from "zod";
import { prepareDomain } from "../../xmpp/jid.ts";

/** What `.meta()` of an option holds. */
export interface OptionNotes {
  /** Completes "must be …". */
  readonly allowed?: string;
  /** What the option means, for the reference. */
  readonly about?: string;
  /** Where the option's default lies if it is not a value of its own. */
  readonly otherwise?: string;
}

const notes = (allowed: string): { allowed: string } => ({ allowed });

export function integer(min: number, max: number, unit = ""): z.ZodInt {
  const words = unit === "" ? "an integer" : `a number of ${unit}`;
  return z
    .int()
    .min(min)
    .max(max)
    .meta(notes(`${words} from ${min} to ${max}`));
}

/** Periods are integers of milliseconds in the file, as MongooseIM's are. */
export const milliseconds = (min: number, max: number): z.ZodInt =>
  integer(min, max, "milliseconds");

export const bytes = (min: number, max: number): z.ZodInt => integer(min, max, "bytes");

export const flag = (): z.ZodBoolean => z.boolean().meta(notes("true or false"));

export const text = (allowed = "a string that is not empty"): z.ZodString =>
  z.string().min(1).meta(notes(allowed));

export const path = (): z.ZodString => text("the path of a file");

export function oneOf<const T extends readonly [string, ...string[]]>(
  values: T,
): z.ZodEnum<{ [K in T[number]]: K }> {
  const listed = values.map((value) => `"${value}"`);
  const words = listed.length === 1 ? listed[0] : `one of ${listed.join(", ")}`;
  return z.enum(values).meta(notes(words ?? "")) as z.ZodEnum<{ [K in T[number]]: K }>;
}

/** A domain as RFC 7622 has it. */
export const hostName = (): z.ZodString =>
  z
    .string()
    .refine((name) => prepareDomain(name) !== undefined)
    .meta(notes('a domain name such as "example.org"'));

const IP = /^(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$/;

const isAddress = (value: string): boolean =>
  IP.test(value) && value.split(".").every((part) => !/^\d+$/.test(part) || Number(part) <= 255);

export const ipAddress = (): z.ZodString =>
  z.string().refine(isAddress).meta(notes('an IP address such as "127.0.0.1" or "::"'));

function isNetwork(value: string): boolean {
  const [address = "", prefix, ...rest] = value.split("/");
  if (!isAddress(address) || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (address.includes(":") ? 128 : 32);
}

export const network = (): z.ZodString =>
  z.string().refine(isNetwork).meta(notes('an IP address or a network such as "10.0.0.0/8"'));

/** A password, in the file or, better, elsewhere. */
export const secret = () =>
  z
    .union([
      z.string(),
      z.strictObject({ env: z.string().min(1) }),
      z.strictObject({ file: z.string().min(1) }),
    ])
    .meta(notes('a string, { env = "NAME" } or { file = "PATH" }'));

/** What differs between nodes that share one file may come from the environment. */
export const textOrEnvironment = (allowed: string) =>
  z
    .union([z.string().min(1), z.strictObject({ env: z.string().min(1) })])
    .meta(notes(`${allowed}, or { env = "NAME" }`));

/** Attaches what the reference says about an option. */
export function about<T extends z.ZodType>(meaning: string, option: T, otherwise?: string): T {
  return option.meta({ about: meaning, ...(otherwise === undefined ? {} : { otherwise }) });
}

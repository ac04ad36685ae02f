/**
 * Resolver: the port of the same name, over the system's name servers and files.
 *
 * Names are asked of the name servers themselves and not by `getaddrinfo`: that runs in the pool of four
 * threads that passwords are hashed in, and caches nothing less.
 */
import { promises as dns } from "node:dns";
import { open } from "node:fs/promises";
import { isIP } from "node:net";
import { second } from "../base/time.ts";
import type { RequestId } from "../ports/database.ts";
import { fileBytesMax, type Resolver, type ResolverInput } from "../ports/resolver.ts";

const resolveTimeout = 2 * second;

export class SystemResolver implements Resolver {
  readonly #answer: (input: ResolverInput) => void;
  /** `servers`: for tests; by default those of the system. */
  readonly #servers: readonly string[] | undefined;

  constructor(answer: (input: ResolverInput) => void, servers?: readonly string[]) {
    this.#answer = answer;
    this.#servers = servers;
  }

  resolve(request: RequestId, host: string): void {
    this.#addresses(host).then(
      (addresses) => this.#answer({ type: "host-resolved", request, addresses }),
      (error: unknown) => this.#failed(request, error),
    );
  }

  readFile(request: RequestId, path: string): void {
    readText(path).then(
      (text) => this.#answer({ type: "file-read", request, text }),
      (error: unknown) => this.#failed(request, error),
    );
  }

  async #addresses(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const resolver = new dns.Resolver({ timeout: resolveTimeout, tries: 2 });
    if (this.#servers !== undefined) resolver.setServers(this.#servers);
    const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    // A name with addresses of one kind only is no mistake; one that nobody could look up is.
    const failures = found.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    const real = failures.find((error) => codeOf(error) !== "ENODATA");
    const addresses = found.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
    if (addresses.length === 0 && real !== undefined) throw real;
    return addresses;
  }

  #failed(request: RequestId, error: unknown): void {
    this.#answer({ type: "lookup-failed", request, detail: detailOf(error) });
  }
}

async function readText(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size > fileBytesMax) {
      throw new Error(`the file has ${size} bytes, the maximum is ${fileBytesMax}`);
    }
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function detailOf(error: unknown): string {
  switch (codeOf(error)) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
      return "permission to read the file is denied";
    case "EISDIR":
      return "it is a folder";
    case "ENOTFOUND":
      return "there is no such name";
    case "ETIMEOUT":
    case "ECONNREFUSED":
    case "ESERVFAIL":
      return "no name server answers";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/**
 * KeyLines: on which line of a TOML document was a key written?
 *
 * The parser says what a document means but not where. This reads keys alone, and only documents that
 * the parser has accepted: so it need not judge, only skip values well enough to find the next key
 * (strings of four kinds, comments, nested arrays and inline tables).
 *
 * A path has table names and array indices: `["listen", "c2s", 0, "port"]`.
 */
export type KeyPath = readonly (string | number)[];

const BARE = /[A-Za-z0-9_-]+/y;
const SKIP = /(?:[\s]+|#[^\n]*)*/y;
const STRING = /"""[\s\S]*?(?<!\\)(?:\\\\)*"{3,5}|'''[\s\S]*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y;
const SCALAR = /[^,\]}\s#]+(?: \d\d:[^,\]}\s#]+)?/y;

export class KeyLines {
  readonly #text: string;
  readonly #lines = new Map<string, number>();
  /** How many tables each `[[array]]` has so far, by its path. */
  readonly #counts = new Map<string, number>();
  #at = 0;
  #line = 1;
  #lineAt = 0;

  constructor(text: string) {
    this.#text = text;
    this.#document();
  }

  /** The line of the key, or of the nearest table around it; 1 if there is none. */
  line(path: KeyPath): number {
    for (let length = path.length; length > 0; length -= 1) {
      const line = this.#lines.get(keyOf(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  }

  #document(): void {
    let table: KeyPath = [];
    for (this.#skip(); this.#at < this.#text.length; this.#skip()) {
      const before = this.#at;
      if (this.#text.startsWith("[[", this.#at)) {
        const line = this.#lineHere();
        this.#at += 2;
        table = this.#arrayTable(this.#dottedKey(), line);
        this.#at += 2;
      } else if (this.#text.startsWith("[", this.#at)) {
        const line = this.#lineHere();
        this.#at += 1;
        table = this.#inArrays(this.#dottedKey());
        this.#note(table, line);
        this.#at += 1;
      } else {
        this.#pair(table);
      }
      // Never loop on what the parser would have refused.
      if (this.#at === before) return;
    }
  }

  #arrayTable(names: readonly string[], line: number): KeyPath {
    const path = [...this.#inArrays(names.slice(0, -1)), ...names.slice(-1)];
    const index = this.#counts.get(keyOf(path)) ?? 0;
    this.#counts.set(keyOf(path), index + 1);
    this.#note(path, line);
    this.#note([...path, index], line);
    return [...path, index];
  }

  /** `[a.b]` under `[[a]]` is in the last `a`. */
  #inArrays(names: readonly string[]): KeyPath {
    const path: (string | number)[] = [];
    for (const name of names) {
      path.push(name);
      const count = this.#counts.get(keyOf(path));
      if (count !== undefined) path.push(count - 1);
    }
    return path;
  }

  #pair(table: KeyPath): void {
    const line = this.#lineHere();
    const path = [...table, ...this.#dottedKey()];
    this.#note(path, line);
    this.#skip();
    this.#at += 1; // =
    this.#skip();
    this.#value(path);
  }

  #value(path: KeyPath): void {
    const first = this.#text[this.#at];
    if (first === "[") {
      this.#at += 1;
      for (let index = 0; this.#skip() !== "]" && this.#at < this.#text.length; index += 1) {
        this.#note([...path, index], this.#lineHere());
        this.#value([...path, index]);
        if (this.#skip() === ",") this.#at += 1;
      }
      this.#at += 1;
    } else if (first === "{") {
      this.#at += 1;
      while (this.#skip() !== "}" && this.#at < this.#text.length) {
        this.#pair(path);
        if (this.#skip() === ",") this.#at += 1;
      }
      this.#at += 1;
    } else if (this.#take(STRING) === undefined && this.#take(SCALAR) === undefined) {
      this.#at = this.#text.length;
    }
  }

  #dottedKey(): readonly string[] {
    const names: string[] = [];
    for (;;) {
      this.#skip();
      const bare = this.#take(BARE);
      if (bare === undefined) {
        const quoted = this.#take(STRING);
        if (quoted === undefined) return names;
        names.push(unquoted(quoted));
      } else {
        names.push(bare);
      }
      if (this.#skip() !== ".") return names;
      this.#at += 1;
    }
  }

  /** Past white space and comments; the character found there. */
  #skip(): string | undefined {
    this.#take(SKIP);
    return this.#text[this.#at];
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [match] = pattern.exec(this.#text) ?? [];
    this.#at += match?.length ?? 0;
    return match;
  }

  #lineHere(): number {
    for (; this.#lineAt < this.#at; this.#lineAt += 1) {
      if (this.#text.charCodeAt(this.#lineAt) === 10) this.#line += 1;
    }
    return this.#line;
  }

  /** Every table on the way is there too, where it was first named. */
  #note(path: KeyPath, line: number): void {
    for (let length = path.length; length > 0; length -= 1) {
      const key = keyOf(path.slice(0, length));
      if (!this.#lines.has(key)) this.#lines.set(key, line);
    }
  }
}

const keyOf = (path: KeyPath): string => JSON.stringify(path);

function unquoted(key: string): string {
  if (key.startsWith("'")) return key.slice(1, -1);
  try {
    return String(JSON.parse(key));
  } catch {
    return key.slice(1, -1); // An escape that JSON lacks: such a name is no option of ours anyway.
  }
}

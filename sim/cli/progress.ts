/**
 * Progress: how does somebody who waits learn that something goes on?
 *
 * On stderr, out of the way of what is printed: on a terminal one line that is written over, elsewhere (a log, a
 * pipe, CI) a line now and then.
 */
const everyMs = { terminal: 500, elsewhere: 10_000 } as const;

export class Progress {
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  readonly #terminal = process.stderr.isTTY;

  /** `quiet`: a program reads what is printed, so only a terminal is told. */
  constructor(text: () => string, { quiet }: { readonly quiet: boolean }) {
    if (quiet && !this.#terminal) return;
    const show = (): void => void process.stderr.write(this.#line(text()));
    this.#timer = setInterval(show, this.#terminal ? everyMs.terminal : everyMs.elsewhere);
  }

  /** Lines of the result, above it. */
  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#clear();
    for (const line of lines) console.log(line);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #line(text: string): string {
    return this.#terminal ? `\r\u001b[K${text}` : `${text}\n`;
  }

  #clear(): void {
    if (this.#terminal) process.stderr.write("\r\u001b[K");
  }
}

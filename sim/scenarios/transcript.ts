/**
 * Transcript: how does a history by hand look as a file?
 *
 *     # Comment lines, anywhere.
 *
 *     cluster n1 n2            commands, one a line
 *     start all
 *     ----                     the separator
 *     +0s  n1  starts          what happened, up to an empty line; written by the player, reviewed by people
 *
 * Pure text: what a command means is in command.ts, what happens in player.ts.
 */
export interface Block {
  /** As written, comments included. */
  readonly lines: readonly string[];
  /** Commands only. */
  readonly commands: readonly Line[];
  readonly expected: readonly string[];
}

export interface Line {
  /** From 1, in the file. */
  readonly number: number;
  readonly text: string;
}

export interface Transcript {
  readonly blocks: readonly Block[];
}

export class TranscriptError extends Error {
  override readonly name = "TranscriptError";
}

const separator = "----";

export function parseTranscript(text: string): Transcript {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let commands: Line[] = [];
  let expected: string[] | undefined;
  const close = (): void => {
    if (lines.length > 0)
      blocks.push({ lines: trimmed(lines), commands, expected: expected ?? [] });
    lines = [];
    commands = [];
    expected = undefined;
  };
  text.split("\n").forEach((line, index) => {
    if (expected !== undefined) {
      if (line.trim() === "") close();
      else expected.push(line);
    } else if (line.trim() === separator) {
      if (commands.length === 0) {
        throw new TranscriptError(`Line ${index + 1}: no command stands above the separator`);
      }
      expected = [];
    } else {
      lines.push(line);
      const [command = ""] = line.split(/(?:^|\s)#/);
      if (command.trim() !== "") commands.push({ number: index + 1, text: command.trim() });
    }
  });
  if (lines.some((line) => line.trim() !== "")) close();
  return { blocks };
}

/** The file with other results in it. */
export function writeTranscript(
  { blocks }: Transcript,
  results: readonly (readonly string[])[],
): string {
  const parts = blocks.map(({ lines, commands }, index) => {
    if (commands.length === 0) return `${lines.join("\n")}\n`;
    return `${[...lines, separator, ...(results[index] ?? [])].join("\n")}\n`;
  });
  return parts.join("\n");
}

function trimmed(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== "");
  const last = lines.findLastIndex((line) => line.trim() !== "");
  return first === -1 ? [] : lines.slice(first, last + 1);
}

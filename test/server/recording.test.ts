/** The flight recorder: what was recorded is replayed to the same effects; what was altered is refused. */
import { expect, test } from "vitest";
import { RecordingWriter, verify } from "../../src/server/recording.ts";
import { pureCrypto, smallConfig, SmallNode } from "./small-node.ts";

/** A small life: two clients, a message each way, a wrong stanza, a timeout, a shutdown. */
function recording(): readonly string[] {
  const lines: string[] = [];
  const recorder = new RecordingWriter({
    config: smallConfig,
    falseSaltSecret: new Uint8Array([1, 2, 3]),
    crypto: pureCrypto,
    write: (line) => void lines.push(line),
  });
  const node = new SmallNode({ recorder });
  const juliet = node.login("juliet", "balcony");
  const romeo = node.login("romeo", "orchard");
  node.send(juliet, "<message to='romeo@localhost' id='1'><body>Žluťoučký 🦦</body></message>");
  node.send(romeo, "<iq type='get' id='2' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
  expect(node.read(romeo)).toContain("Žluťoučký 🦦");
  const hasty = node.connect("<");
  node.after(30_000);
  expect(node.read(hasty)).toContain("<connection-timeout ");
  node.send(juliet, "<wrong>");
  node.deliver({ type: "connection-closed", connection: juliet, reason: "done" });
  node.deliver({ type: "shutdown-requested" });
  node.deliver({ type: "connection-closed", connection: romeo, reason: "done" });
  return lines;
}

test("recording: a node's life is replayed to the same effects", () => {
  const lines = recording();
  const verdict = verify(lines, pureCrypto);
  expect(verdict).toMatchObject({ equal: true });
  expect(verdict).toHaveProperty("inputs", lines.filter((line) => line.startsWith('{"i"')).length);
  expect(verify(recording(), pureCrypto)).toEqual(verdict);
});

test("recording: one byte changed anywhere is refused, at that step at the latest", () => {
  const lines = recording();
  let tried = 0;
  for (const [at, line] of lines.entries()) {
    const middle = Math.floor(line.length / 2);
    const original = line.charAt(middle);
    const changed = `${line.slice(0, middle)}${original === "b" ? "c" : "b"}${line.slice(middle + 1)}`;
    const verdict = verify([...lines.slice(0, at), changed, ...lines.slice(at + 1)], pureCrypto);
    const stepEnd = lines.findIndex((each, index) => index >= at && each.startsWith('{"h"'));
    expect(verdict.equal, `line ${at + 1} changed: ${changed}`).toBe(false);
    if (!verdict.equal) expect(verdict.line).toBeLessThanOrEqual(stepEnd + 1);
    tried += 1;
  }
  expect(tried).toBe(lines.length);
});

test("recording: a line lost, repeated or moved is refused", () => {
  const lines = recording();
  for (let at = 1; at < lines.length - 1; at++) {
    const [line = "", next = ""] = lines.slice(at, at + 2);
    const without = [...lines.slice(0, at), ...lines.slice(at + 1)];
    const twice = [...lines.slice(0, at), line, line, ...lines.slice(at + 1)];
    const moved = [...lines.slice(0, at), next, line, ...lines.slice(at + 2)];
    expect(verify(without, pureCrypto).equal).toBe(false);
    expect(verify(twice, pureCrypto).equal).toBe(false);
    if (next !== line) expect(verify(moved, pureCrypto).equal).toBe(false);
  }
});

test("recording: a cut file says where it ends", () => {
  const lines = recording();
  const cut = lines.slice(
    0,
    lines.findLastIndex((line) => line.startsWith('{"h"')),
  );
  expect(verify(cut, pureCrypto)).toMatchObject({ equal: false, line: cut.length });
  expect(verify([], pureCrypto)).toMatchObject({ equal: false, reason: "The file is empty" });
});

test("recording: it does not contain the database's password", () => {
  const lines: string[] = [];
  new RecordingWriter({
    config: { ...smallConfig, rdbms: { ...smallConfig.rdbms, password: "hunter2" } },
    falseSaltSecret: new Uint8Array(0),
    crypto: pureCrypto,
    write: (line) => void lines.push(line),
  });
  expect(lines.join("")).not.toContain("hunter2");
});

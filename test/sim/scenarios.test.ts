/** Scenarios: what a transcript may say, and what it is told where it cannot be understood. */
import { expect, test } from "vitest";
import { runPorts } from "../../sim/cli/ports.ts";
import { parseCommand } from "../../sim/scenarios/command.ts";
import { play } from "../../sim/scenarios/player.ts";
import { parseTranscript, writeTranscript } from "../../sim/scenarios/transcript.ts";

const ports = runPorts();
const played = (text: string) => play(parseTranscript(text), ports);
const command = (text: string) => parseCommand({ number: 7, text });

test("scenario: only results are rewritten, comments and blocks stay", () => {
  const text = "# Why.\n\ncluster n1 # one\nstart all\n----\nold\nolder\n\n# Then.\nheal\n----\n";
  const transcript = parseTranscript(text);
  expect(transcript.blocks.map(({ commands }) => commands)).toEqual([
    [
      { number: 3, text: "cluster n1" },
      { number: 4, text: "start all" },
    ],
    [{ number: 10, text: "heal" }],
  ]);
  expect(transcript.blocks[0]?.expected).toEqual(["old", "older"]);
  const expected = text.replace("old\nolder", "new");
  expect(writeTranscript(transcript, [["new"], []])).toBe(expected);
});

test("scenario: a block may lack its results, as when it is new", () => {
  const transcript = parseTranscript("cluster n1\nstart n1\n");
  const text = writeTranscript(transcript, [["it starts"]]);
  expect(text).toBe("cluster n1\nstart n1\n----\nit starts\n");
  expect(writeTranscript(parseTranscript(text), [["it starts"]])).toBe(text);
});

test("scenario: commands are read with their defaults", () => {
  expect(command("login alice on n1, bob/a/b on n2 as other priority -3")).toEqual({
    type: "login",
    logins: [
      { name: "alice", user: "alice", resource: "", node: "n1", priority: 0 },
      { name: "other", user: "bob", resource: "a/b", node: "n2", priority: -3 },
    ],
  });
  expect(command("split n1 n2 | n3")).toEqual({ type: "split", groups: [["n1", "n2"], ["n3"]] });
  expect(command("clock n1 -1h")).toEqual({ type: "clock", node: "n1", by: -3_600_000 });
  expect(command("begin node-slow n1 100ms")).toEqual({
    ...{ type: "begin", fault: "node-slow", target: "n1", amount: 100 },
  });
  expect(command("begin dns-down all")).toMatchObject({ target: "all", amount: 0 });
  expect(command("end dns-down all")).toEqual({ type: "end", fault: "dns-down", target: "all" });
  expect(command("install release 2 on n1 n2")).toEqual({
    ...{ type: "install", release: 2, nodes: ["n1", "n2"] },
  });
  expect(command("wait 50ms")).toEqual({ type: "wait", milliseconds: 50 });
  expect(command("say a/b to c: d: e")).toEqual({
    type: "say",
    client: "a/b",
    to: "c",
    text: "d: e",
  });
  const unreadable = [
    "",
    "crash",
    "wait",
    "wait 5",
    "cut n1 n2",
    "login alice",
    "say a: b",
    "show me",
  ];
  const unknown = [
    "begin dns-up all",
    "begin node-slow",
    "end bread n1",
    "install release 9 on n1",
  ];
  for (const bad of [...unreadable, ...unknown]) {
    expect(() => command(bad)).toThrow(`Line 7: cannot read "${bad}"`);
  }
});

test("scenario: what cannot be carried out names its line", () => {
  expect(() => played("start n1\n")).toThrow("The first command of a transcript is `cluster`");
  expect(() => played("cluster n1\nstart n2\n")).toThrow('Line 2: there is no node "n2"');
  expect(() => played("cluster n1\n\nping bob\n")).toThrow('Line 3: nobody has logged in as "bob"');
  const wrong = (line: string) => () => played(`cluster n1\n${line}\n`);
  expect(wrong("begin node-slow n3 1s")).toThrow('Line 2: there is no node or client "n3"');
  expect(wrong("end node-slow n1")).toThrow("Line 2: no node-slow of n1 has begun");
  expect(wrong("install release 2 on n3")).toThrow('Line 2: there is no node "n3"');
  expect(() => parseTranscript("# nothing\n----\n")).toThrow("Line 2: no command stands above");
  expect(() => played("cluster n1\nstart n1\nuntil n1 peer-up\n")).toThrow(
    /^Line 3: "until n1 peer-up" did not come in 120000 ms; what came there: cluster-joined, cluster-obs/,
  );
});

test("scenario: what cannot be read is told what can be", () => {
  expect(() => command("kill n1")).toThrow("(commands are cluster, start, crash, lose-power,");
  expect(() => command("wait 5")).toThrow("(docs/simulator.md, Histories by hand, has its form)");
});

test("scenario: what begins by hand ends by hand, though it has a rhythm of its own", () => {
  const flaps = "cluster n1 n2\nstart all\nbegin flapping n1~n2 12s\nwait 48s\n";
  const { results } = played(`${flaps}end flapping n1~n2\nwait 24s\n----\n\nwait 60s\n`);
  const [during = [], afterwards] = results;
  expect(during.filter((line) => line.includes("down: n2"))).toHaveLength(2);
  expect(afterwards).toEqual([]);
});

test("scenario: a heal ends whatever has begun", () => {
  const { results } = played(
    "cluster n1\nstart n1\nlogin a on n1\nbegin half-open a\nbegin node-slow n1 1s\nheal\n" +
      "ping a\nshow ready\n",
  );
  expect(results.flat().join("\n")).toContain("is answered its ping to its server: result");
  expect(results.flat().at(-1)).toBe("ready n1  ready");
});

test("scenario: the same history has the same trace, and another seed another", () => {
  const text = "cluster n1 n2\nstart all\nlogin a/b on n1\nstop n2\nwait 5s\n";
  const { hash, results, failures } = played(text);
  expect(failures).toEqual([]);
  expect(played(text)).toMatchObject({ hash, results });
  const other = played(text.replace("n2\n", "n2 seed=2\n"));
  expect(other.hash).not.toBe(hash);
  expect(other.results).toEqual(results);
});

test("scenario: who stops reading twice reads again when the last of both is ended", () => {
  const lines = [
    "cluster n1",
    "start all",
    "login alice/a on n1, bob/b on n1",
    "begin stop-reading bob/b",
    "begin stop-reading bob/b",
    "end stop-reading bob/b",
    "say alice/a to bob/b: hello",
    "wait 1s",
    "----",
    "",
    "end stop-reading bob/b",
    "wait 1s",
    "----",
  ];
  const { results } = played(`${lines.join("\n")}\n`);
  const received = results.map(
    (told) => told.filter((line) => /^ .*bob\/b .*hello/.test(line)).length,
  );
  expect(received).toEqual([0, 1]);
});

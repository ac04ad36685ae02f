/** A client that does not read: what waits for it, how much and how long, and what becomes of it at the end. */
import { test } from "vitest";
import { secured, loggedIn, bound, error, expectTranscript } from "./conversation.ts";

test("stream: a client that does not read has a bounded queue, handed back at its end", () => {
  const text = `${bound}
    W: congested
    W: deliver <message id='1'><body>${"x".repeat(50)}</body></message>
    W: deliver <message id='2'><body>${"x".repeat(50)}</body></message>
    W: deliver <message id='3'><body>${"x".repeat(50)}</body></message>
    S: ${error("resource-constraint", "More than 200 bytes wait to be read: the maximum")}
    E: ended: resource-constraint
    E: undelivered 1 2 3
    E: close
    W: deliver <message id='4'/>
    E: undelivered 4
  `;
  expectTranscript(text, secured);
});

test("stream: a client that reads again gets all that waited, in order", () => {
  const text = `${bound}
    W: congested
    W: deliver <message id='1'/>
    W: deliver <message id='2'/>
    W: after 5000
    W: drained
    S: <message from='romeo@localhost/a' id='1'/><message from='romeo@localhost/a' id='2'/>
    W: deliver <message id='3'/>
    S: <message from='romeo@localhost/a' id='3'/>
    W: after 59999
  `;
  expectTranscript(text, secured);
});

/** Two of them are more than a piece. */
const long = (id: number): string =>
  `<message id='${id}'><body>${"x".repeat(40_000)}</body></message>`;
const read = (id: number): string => long(id).replace(" id=", " from='romeo@localhost/a' id=");
const longQueue = { ...secured, maxSendQueue: 300_000 };

test("stream: a client that reads slowly gets what waits in pieces, and has time for each", () => {
  const text = `${bound}
    W: congested
    W: deliver ${long(1)}
    W: deliver ${long(2)}
    W: deliver ${long(3)}
    W: deliver ${long(4)}
    W: deliver ${long(5)}
    W: after 9999
    W: drained
    S: ${read(1)}${read(2)}
    W: congested
    W: deliver <message id='6'/>
    W: after 9999
    W: drained
    S: ${read(3)}${read(4)}
    W: congested
    W: after 10000
    S: ${error("resource-constraint", "Nothing was read for 10000 ms: the maximum")}
    E: ended: resource-constraint
    E: undelivered 5 6
    E: close
  `;
  expectTranscript(text, longQueue);
});

test("stream: what a connection takes without being congested follows at once, in order", () => {
  const text = `${bound}
    W: congested
    W: deliver ${long(1)}
    W: deliver ${long(2)}
    W: deliver ${long(3)}
    W: drained
    S: ${read(1)}${read(2)}
    W: deliver <message id='4'/>
    W: after 0
    S: ${read(3)}<message from='romeo@localhost/a' id='4'/>
    W: deliver <message id='5'/>
    S: <message from='romeo@localhost/a' id='5'/>
    W: after 59999
  `;
  expectTranscript(text, longQueue);
});

test("stream: a client that reads nothing for too long is closed, its queue handed back", () => {
  const text = `${bound}
    W: congested
    W: deliver <message id='1'/>
    W: after 9999
    W: deliver <message id='2'/>
    W: after 1
    S: ${error("resource-constraint", "Nothing was read for 10000 ms: the maximum")}
    E: ended: resource-constraint
    E: undelivered 1 2
    E: close
  `;
  expectTranscript(text, secured);
});

test("stream: also one that has read nothing since before it was bound", () => {
  const text = `${loggedIn}
    C: <iq type='set' id='b'><bind xmlns='bind'><resource>balcony</resource></bind></iq>
    E: bind balcony
    W: congested
    W: answer
    W: bound juliet@localhost/balcony
    W: after 9999
    W: after 1
    S: ${error("resource-constraint", "Nothing was read for 10000 ms: the maximum")}
    E: ended: resource-constraint
    E: undelivered b
    E: close
  `;
  expectTranscript(text, secured);
});

test("stream: its queue has the whole bound again each time that the client has read", () => {
  const waits = `
    W: congested
    W: deliver <message id='1'><body>${"x".repeat(100)}</body></message>
    W: drained
    S: <message from='romeo@localhost/a' id='1'><body>${"x".repeat(100)}</body></message>
  `;
  expectTranscript(`${bound}${waits}${waits}${waits}`, secured);
});

test("stream: a lost connection ends it without a word", () => {
  const text = `${bound}
    W: congested
    W: deliver <message id='1'/>
    W: closed
    E: ended: the connection was closed
    E: undelivered 1
  `;
  expectTranscript(text, secured);
});

test("stream: at an end in order, answers that wait are written, the rest is handed back", () => {
  const waiting = `${bound}
    W: congested
    W: deliver <message id='1'/>
    W: deliver <message id='2' type='error'/>
    W: deliver <iq id='3' type='result'/>
    W: deliver <iq id='4' type='get'/>
  `;
  const answers =
    "<message from='romeo@localhost/a' id='2' type='error'/><iq from='romeo@localhost/a' id='3' type='result'/>";
  const byTheClient = `${waiting}
    C: </stream>
    S: ${answers}</stream>
    E: ended: the peer closed the stream
    E: undelivered 1 4
    E: close
  `;
  const byUs = `${waiting}
    W: end system-shutdown
    S: ${answers}${error("system-shutdown", "because")}
    E: ended: system-shutdown
    E: undelivered 1 4
  `;
  const inError = `${waiting}
    C: <x></y>
    S: ${error("not-well-formed", "An end tag of another name")}
    E: ended: not-well-formed
    E: undelivered 1 2 3 4
    E: close
  `;
  expectTranscript(byTheClient, secured);
  expectTranscript(byUs, secured);
  expectTranscript(inError, secured);
});

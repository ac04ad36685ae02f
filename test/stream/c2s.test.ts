/** A client's stream as conversations: see transcript.ts for how to read them. */
import { expect, test } from "vitest";
import {
  secured,
  features,
  bindFeatures,
  loggedIn,
  bound,
  error,
  expectTranscript,
} from "./conversation.ts";
import { Player, replay, tidy } from "./transcript.ts";

test("stream: STARTTLS, PLAIN, bind, a message each way, and the end [RFC 6120 §4–§7]", () => {
  const text = `
    C: <stream to='localhost'>
    S: <stream from='localhost'><stream:features><starttls xmlns='tls'><required/></starttls></stream:features>
    C: <starttls xmlns='tls'/>
    S: <proceed xmlns='tls'/>
    E: start-tls localhost
    W: tls-established
    ${bound}
    C: <message id='1' to='romeo@localhost'/><message id='2' to='romeo@localhost'/>
    E: stanza-received message 1
    E: stanza-received message 2
    W: deliver <message id='3'><body>hi</body></message>
    S: <message from='romeo@localhost/a' id='3'><body>hi</body></message>
    C: </stream>
    S: </stream>
    E: ended: the peer closed the stream
    E: close
  `;
  expectTranscript(text);
});

test("stream: what was sent in the clear after <starttls/> is discarded [RFC 6120 §5.4.3.3]", () => {
  expectTranscript(`
    C: <stream to='localhost'>
    S: <stream from='localhost'><stream:features><starttls xmlns='tls'><required/></starttls></stream:features>
    C: <starttls xmlns='tls'/><stream to='localhost'><auth xmlns='sasl' mechanism='PLAIN'>AGEAYg==</auth>
    S: <proceed xmlns='tls'/>
    E: start-tls localhost
    C: <stream to='localhost'><auth xmlns='sasl' mechanism='PLAIN'>AGEAYg==</auth>
    W: tls-established
    C: <stream to='localhost'>
    S: <stream from='localhost'>${features}
  `);
});

test("stream: nothing but TLS where TLS is required [RFC 6120 §5.3.1]", () => {
  expectTranscript(`
    C: <stream to='localhost'>
    S: <stream from='localhost'><stream:features><starttls xmlns='tls'><required/></starttls></stream:features>
    C: <auth xmlns='sasl' mechanism='PLAIN'>AGp1bGlldABzZWNyZXQ=</auth>
    S: <failure xmlns='sasl'><encryption-required/></failure>
  `);
});

test("stream: a second <starttls/> fails and ends the stream [RFC 6120 §5.4.2.2]", () => {
  const text = `
    C: <stream to='localhost'>
    S: <stream from='localhost'>${features}
    C: <starttls xmlns='tls'/>
    S: <failure xmlns='tls'/></stream>
    E: ended: closed by us
    C: </stream>
    E: close
  `;
  expectTranscript(text, secured);
});

test("stream: rejects a second <auth/> after success [RFC 6120 §6.4.6]", () => {
  const text = `${loggedIn}
    C: <auth xmlns='sasl' mechanism='PLAIN'>AGp1bGlldABzZWNyZXQ=</auth>
    S: ${error("not-authorized", "Already authenticated (RFC 6120 §6.4.6)")}
    E: ended: not-authorized
    E: close
  `;
  expectTranscript(text, secured);
});

test.each([
  ["<message to='romeo@localhost'/>"],
  ["<presence/>"],
  ["<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"],
  ["<iq type='set' id='1'><bind xmlns='bind'/></iq>"],
])("stream: %s before authentication ends the stream [RFC 6120 §4.9.3.12]", (xml) => {
  const text = `
    C: <stream to='localhost'>
    S: <stream from='localhost'>${features}
    C: ${xml}
    S: ${error("not-authorized", "Authenticate first (RFC 6120 §4.9.3.12)")}
    E: ended: not-authorized
    E: close
  `;
  expectTranscript(text, secured);
});

test.each([
  ["<message to='romeo@localhost'/>"],
  ["<presence/>"],
  ["<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"],
])("stream: %s before binding ends the stream [RFC 6120 §7.1]", (xml) => {
  const text = `${loggedIn}
    C: ${xml}
    S: ${error("not-authorized", "Bind a resource first (RFC 6120 §7.1)")}
    E: ended: not-authorized
    E: close
  `;
  expectTranscript(text, secured);
});

test("stream: a challenge, its response, and what was sent too early waits its turn", () => {
  const text = `
    C: <stream to='localhost'>
    S: <stream from='localhost'>${features}
    C: <auth xmlns='sasl' mechanism='SCRAM-SHA-256'>=</auth><response xmlns='sasl'>YWJj</response>
    E: authenticate SCRAM-SHA-256 ""
    W: challenge hello
    S: <challenge xmlns='sasl'>aGVsbG8=</challenge>
    E: respond-to-challenge "abc"
    W: failure not-authorized
    S: <failure xmlns='sasl'><not-authorized/></failure>
  `;
  expectTranscript(text, secured);
});

test("stream: the client may abort [RFC 6120 §6.4.4] and try again", () => {
  const text = `
    C: <stream to='localhost'>
    S: <stream from='localhost'>${features}
    C: <auth xmlns='sasl' mechanism='SCRAM-SHA-256'/>
    E: authenticate SCRAM-SHA-256 -
    W: challenge hello
    S: <challenge xmlns='sasl'>aGVsbG8=</challenge>
    C: <abort xmlns='sasl'/>
    E: abort-authentication
    S: <failure xmlns='sasl'><aborted/></failure>
    C: <auth xmlns='sasl' mechanism='PLAIN'>AGp1bGlldABzZWNyZXQ=</auth>
    E: authenticate PLAIN "|juliet|secret"
    W: success juliet
    S: <success xmlns='sasl'/>
  `;
  expectTranscript(text, secured);
});

test.each([
  ["<auth xmlns='sasl' mechanism='NOPE'>AAA=</auth>", "invalid-mechanism"],
  ["<auth xmlns='sasl'>AAA=</auth>", "invalid-mechanism"],
  ["<auth xmlns='sasl' mechanism='PLAIN'>A*A=</auth>", "incorrect-encoding"],
  ["<auth xmlns='sasl' mechanism='PLAIN'>AAA</auth>", "incorrect-encoding"],
  ["<auth xmlns='sasl' mechanism='PLAIN'>AA A=</auth>", "incorrect-encoding"],
  ["<response xmlns='sasl'>AAA=</response>", "malformed-request"],
  ["<abort xmlns='sasl'/>", "malformed-request"],
  ["<success xmlns='sasl'/>", "malformed-request"],
])("stream: %s fails with %s [RFC 6120 §6.5]", (xml, condition) => {
  const text = `
    C: <stream to='localhost'>
    S: <stream from='localhost'>${features}
    C: ${xml}
    S: <failure xmlns='sasl'><${condition}/></failure>
  `;
  expectTranscript(text, secured);
});

test("stream: too many failed attempts end the stream [RFC 6120 §6.4.5]", () => {
  const attempt = (end: string): string => `
    C: <auth xmlns='sasl' mechanism='PLAIN'>AGp1bGlldAB4</auth>
    E: authenticate PLAIN "|juliet|x"
    W: failure not-authorized
    S: <failure xmlns='sasl'><not-authorized/></failure>${end}`;
  const end = error("policy-violation", "3 failed authentications, the maximum is 3");
  const text = `
    C: <stream to='localhost'>
    S: <stream from='localhost'>${features}
    ${attempt("")}${attempt("")}${attempt(end)}
    E: ended: policy-violation
    E: close
  `;
  expectTranscript(text, secured);
});

test("stream: mechanisms that cannot work here are no guesses, but bounded too", () => {
  const attempt = `
    C: <auth xmlns='sasl' mechanism='SCRAM-SHA-256'>AAAA</auth>
    W: refusal not-authorized`;
  const lines = (count: number): string => `C: <stream to='localhost'>${attempt.repeat(count)}`;
  expect(replay(lines(5), secured)).not.toContain("policy-violation");
  expect(replay(lines(6), secured)).toContain("policy-violation");
});

test("stream: what is in the same bytes as <auth/> is read on the new stream", () => {
  const text = `
    C: <stream to='localhost'>
    S: <stream from='localhost'>${features}
    C: <auth xmlns='sasl' mechanism='PLAIN'>AGp1bGlldABzZWNyZXQ=</auth><stream to='localhost'>
    E: authenticate PLAIN "|juliet|secret"
    C: <iq type='set' id='b'><bind xmlns='bind'/></iq>
    W: success juliet
    S: <success xmlns='sasl'/><stream from='localhost'>${bindFeatures}
    E: bind any
  `;
  expectTranscript(text, secured);
});

test("stream: a refused bind may be tried again; a second bind is a stanza like others", () => {
  const text = `${loggedIn}
    C: <iq type='set' id='b'><bind xmlns='bind'><resource>a</resource></bind></iq>
    E: bind a
    W: bind-refused
    S: <iq id='b' type='error'><bind xmlns='bind'><resource>a</resource></bind></iq>
    C: <iq type='get' id='c'><bind xmlns='bind'/></iq>
  `;
  const [refused = "", wrong = ""] = replay(text, secured)
    .split("\n")
    .slice(-3)
    .filter((line) => line.startsWith("S:"));
  expect(refused).toMatch(/^S: <iq.* id='b'.*<conflict /);
  expect(wrong).toMatch(/^S: <iq.* id='c'.*<bad-request /);
  expectTranscript(
    `${bound}
    C: <iq type='set' id='again'><bind xmlns='bind'/></iq>
    E: stanza-received iq again
  `,
    secured,
  );
});

test("stream: who does not log in in time is told so", () => {
  const text = `
    C: <stream to='localhost'>
    S: <stream from='localhost'>${features}
    W: after 29999
    W: after 1
    S: ${error("connection-timeout", "Not logged in within 30000 ms")}
    E: ended: connection-timeout
    E: close
  `;
  expectTranscript(text, secured);
});

test("stream: a bound client has all the time it wants; silence is met by white space [RFC 6120 §4.6.1]", () => {
  const text = `${bound}
    W: after 30000
    C: <presence id='p'/>
    E: stanza-received presence p
    W: after 30000
    W: after 29999
    W: after 1
    S:  
  `;
  // The line's own white space is what is written.
  expect(replay(text, secured).split("\n").at(-1)).toBe("S:  ");
});

test("stream: white space from the client is a sign of life, not a stanza", () => {
  const player = new Player(secured);
  for (const line of tidy(bound).split("\n")) if (/^[CW]: /.test(line)) player.play(line);
  const before = player.lines.length;
  player.play("W: after 59999");
  player.play("C:  ");
  player.play("W: after 59750"); // nothing is asked for, as the client was heard
  expect(player.lines).toHaveLength(before + 3);
});

test("stream: so has what a client sends before an answer, each time that it is answered", () => {
  const player = new Player({ ...secured, registration: true });
  player.play("C: <stream to='localhost'>");
  for (const id of ["a", "b"]) {
    player.play(`C: <iq type='get' id='${id}'><query xmlns='jabber:iq:register'/></iq>`);
    player.play(`C: ${" ".repeat(1_500)}`);
    player.play("W: answer");
    expect(player.lines.at(-1)).toBe(`S: <iq id='${id}' type='result'/>`);
  }
});

test("stream: at a shutdown we wait for the client's closing tag, for a while [RFC 6120 §4.4]", () => {
  const end = error("system-shutdown", "because");
  const polite = `${bound}
    W: end system-shutdown
    S: ${end}
    E: ended: system-shutdown
    C: <message id='late' to='romeo@localhost'/></stream>
    E: close
  `;
  const silent = `${bound}
    W: end system-shutdown
    S: ${end}
    E: ended: system-shutdown
    W: deliver <message id='9'/>
    E: undelivered 9
    W: after 4999
    W: after 1
    E: close
  `;
  expectTranscript(polite, secured);
  expectTranscript(silent, secured);
});

test("stream: after its own error nothing more is read", () => {
  const text = `${bound}
    C: <message id='1'/><x></y><message id='2'/>
    E: stanza-received message 1
    S: ${error("not-well-formed", "An end tag of another name")}
    E: ended: not-well-formed
    E: close
    C: <message id='3'/>
  `;
  expect(replay(text, secured)).not.toContain("message 2");
  expect(replay(text, secured)).not.toContain("message 3");
  expect(replay(text, secured)).toContain("<not-well-formed ");
});

test("stream: registration before authentication where it is allowed, a few stanzas at most", () => {
  const asked = "<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>";
  const text = `
    C: <stream to='localhost'>
    S: <stream from='localhost'>${features.replace("</stream:features>", "<register xmlns='http://jabber.org/features/iq-register'/></stream:features>")}
    C: ${asked}${asked}
    E: register
    W: answer
    S: <iq id='r' type='result'/>
    E: register
    W: congested
    W: answer
    W: drained
    S: <iq id='r' type='result'/>
    C: ${asked}
    S: ${error("policy-violation", "More than 2 requests before binding")}
    E: ended: policy-violation
    E: close
  `;
  expectTranscript(text, { ...secured, registration: true });
});

test("stream: too much sent before an answer is not kept", () => {
  const text = `
    C: <stream to='localhost'>
    S: <stream from='localhost'>${features}
    C: <auth xmlns='sasl' mechanism='PLAIN'>AGp1bGlldABzZWNyZXQ=</auth>
    E: authenticate PLAIN "|juliet|secret"
    C: ${"x".repeat(1_500)}
    C: ${"x".repeat(1_500)}
    S: ${error("policy-violation", "More than 2000 bytes sent before an answer")}
    E: ended: policy-violation
    E: close
    W: success juliet
  `;
  expectTranscript(text, secured);
});

test("stream: the host may not change after authentication", () => {
  const text = `${loggedIn.split("\n").slice(0, -3).join("\n")}
    C: <stream to='other.test'>
    S: <stream from='localhost'>${error("not-authorized", "The host changed after authentication")}
    E: ended: not-authorized
    E: close
  `;
  expectTranscript(text, secured);
});

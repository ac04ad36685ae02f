/** What conversations with a client's stream have in common: how they begin, and how they are compared. */
import { expect } from "vitest";
import type { C2sOptions } from "../../src/stream/c2s.ts";
import { replay, tidy, tls } from "./transcript.ts";

export const secured: Partial<C2sOptions> = { tls, tlsMode: "tls" };
export const features =
  "<stream:features><mechanisms xmlns='sasl'><mechanism>SCRAM-SHA-256</mechanism><mechanism>PLAIN</mechanism></mechanisms><sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding></stream:features>";
export const bindFeatures =
  "<stream:features><bind xmlns='bind'><required/></bind><session xmlns='session'><optional/></session></stream:features>";
/** AGp1bGlldABzZWNyZXQ= is \0juliet\0secret */
export const loggedIn = `
  C: <stream to='localhost'>
  S: <stream from='localhost'>${features}
  C: <auth xmlns='sasl' mechanism='PLAIN'>AGp1bGlldABzZWNyZXQ=</auth>
  E: authenticate PLAIN "|juliet|secret"
  W: success juliet
  S: <success xmlns='sasl'/>
  C: <stream to='localhost'>
  S: <stream from='localhost'>${bindFeatures}
`;
export const bound = `${loggedIn}
  C: <iq type='set' id='b'><bind xmlns='bind'><resource>balcony</resource></bind></iq>
  E: bind balcony
  W: answer
  S: <iq id='b' type='result'/>
  W: bound juliet@localhost/balcony
`;

export function error(condition: string, text: string): string {
  return `<stream:error><${condition} xmlns='streams'/><text xmlns='streams' xml:lang='en'>${text}</text></stream:error></stream>`;
}

export function expectTranscript(text: string, options?: Partial<C2sOptions>): void {
  expect(replay(text, options)).toBe(tidy(text));
}

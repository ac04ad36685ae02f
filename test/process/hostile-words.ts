/** What the tables of hostile behaviours are made of. */
import { headerTo } from "../support/client.ts";

export type Behaviour = readonly [what: string, send: string | Buffer, expected: string];

export const maxStanzaSize = 10_000;
export const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
export const body = (inside: string): string =>
  `<message to='good@localhost'><body>${inside}</body></message>`;
export const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>`;

export const header = headerTo("localhost");
export const sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
export const auth = (mechanism: string, data: string | Buffer): string =>
  `<auth xmlns='${sasl}' mechanism='${mechanism}'>${Buffer.from(data).toString("base64")}</auth>`;
export const response = (data: string): string =>
  `<response xmlns='${sasl}'>${Buffer.from(data).toString("base64")}</response>`;
export const register = (fields: string): string =>
  `<iq type='set' id='r'><query xmlns='jabber:iq:register'>${fields}</query></iq>`;
export const bind = (attributes: string, resource: string): string =>
  `<iq ${attributes}><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`;

export function manyAttributes(count: number): string {
  return Array.from({ length: count }, (_, index) => ` a${index}='x'`).join("");
}

export function manyNamespaces(count: number): string {
  return Array.from({ length: count }, (_, index) => ` xmlns:p${index}='u${index}'`).join("");
}

/** Xeps: the table of what is supported, as the features say it of themselves. */
import { features } from "../src/server/server.ts";

export function xepsText(): string {
  const rows = features
    .flatMap(({ name, xeps }) => xeps.map((xep) => ({ name, ...xep })))
    .toSorted((a, b) => a.number - b.number)
    .map(({ number, title, version, name }) => {
      const id = String(number).padStart(4, "0");
      return `| [XEP-${id}](https://xmpp.org/extensions/xep-${id}.html) | ${title} | ${version} | \`${name}\` |`;
    });
  return [
    "# Supported XEPs",
    "",
    "<!-- Written by `npm run docs` from what the features say of themselves. -->",
    "",
    "| XEP | title | version | feature |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

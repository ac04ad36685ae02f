import { expect, test } from "vitest";
import { Session } from "../../src/router/session.ts";
import { Sessions } from "../../src/router/sessions.ts";
import { parseJid } from "../../src/xmpp/jid.ts";

function session(full: string): Session {
  const jid = parseJid(full);
  if (jid === undefined) throw new Error(`${full} is no JID`);
  return new Session(1, jid, "a".repeat(32), 0, "en");
}

test("who is removed is kept under neither name, nor is who was replaced and then removed", () => {
  const sessions = new Sessions();
  const [phone, desk, newPhone] = ["a@b/phone", "a@b/desk", "a@b/phone"].map(session);
  if (!phone || !desk || !newPhone) throw new Error("three were made");
  for (const each of [phone, desk, newPhone]) sessions.add(each);
  expect([...sessions.kept()]).toEqual([newPhone, desk, phone]);
  expect(sessions.remove(phone)).toBe(true);
  expect([...sessions.kept()]).toEqual([newPhone, desk]);
  expect(sessions.remove(phone)).toBe(false);
  for (const each of [desk, newPhone]) sessions.remove(each);
  expect([...sessions.kept()]).toEqual([]);
});

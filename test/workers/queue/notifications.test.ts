import assert from "node:assert/strict";
import { test } from "node:test";
import { splitNotifications } from "../../../workers/queue/notifications.ts";

const message = (type: string, content: string) => {
  const bytes = Buffer.alloc(5 + content.length);
  bytes.write(type, 0);
  bytes.writeUInt32BE(4 + content.length, 1);
  bytes.write(content, 5);
  return bytes;
};

test("notifications are taken out of an answer, wherever they stand", () => {
  const first = message("A", "jobs\0train\0");
  const second = message("A", "");
  const rest = [message("C", "INSERT 0 1\0"), message("D", "AAAA"), message("Z", "I")];
  const split = splitNotifications(Buffer.concat([rest[0]!, first, rest[1]!, second, rest[2]!]));
  assert.deepEqual(split.notifications, Buffer.concat([first, second]));
  assert.deepEqual(split.rest, Buffer.concat(rest));
});

test("an answer without notifications stays as it is, even a single byte", () => {
  assert.deepEqual(splitNotifications(Buffer.from("N")), { notifications: Buffer.alloc(0), rest: Buffer.from("N") });
  assert.deepEqual(splitNotifications(Buffer.alloc(0)).rest, Buffer.alloc(0));
});

const NOTIFICATION = "A".charCodeAt(0);

/**
 * Takes NotificationResponse messages out of an answer of a Postgres server. `bytes` are whole messages: a type byte, a length
 * of four bytes that counts itself, the content (PostgreSQL documentation, "Message Formats").
 */
export function splitNotifications(bytes: Buffer): { notifications: Buffer; rest: Buffer } {
  const notifications: Buffer[] = [];
  const rest: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 <= bytes.length ? at + 1 + bytes.readUInt32BE(at + 1) : bytes.length;
    (bytes[at] === NOTIFICATION ? notifications : rest).push(bytes.subarray(at, end));
    at = end;
  }
  return { notifications: Buffer.concat(notifications), rest: Buffer.concat(rest) };
}

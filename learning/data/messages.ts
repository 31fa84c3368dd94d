import { z } from "zod";
import { PermanentError } from "../../protocol/errors.ts";
import type { ChatTemplate } from "../model/chatTemplate.ts";

const schema = z
  .array(z.object({ role: z.string().min(1).max(64), content: z.string() }))
  .min(2)
  .max(1000);

/**
 * A conversation of one line of data as prompt and completion: the assistant's last answer, and everything before it.
 * @throws PermanentError that begins with `where`, if it is no conversation or cannot be written down.
 */
export function readMessages(
  value: unknown,
  chat: ChatTemplate | undefined,
  where: string,
): { prompt: string; completion: string } {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw new PermanentError(
      `${where}: "messages" is no list of two or more objects with the strings "role" and "content".`,
    );
  }
  if (chat === undefined) {
    throw new PermanentError(
      `${where}: "messages" needs a base model with a chat template; write "prompt" and "completion" instead.`,
    );
  }
  try {
    return chat.split(parsed.data);
  } catch (cause) {
    throw new PermanentError(`${where}: the messages cannot be written down: ${(cause as Error).message}.`, { cause });
  }
}

import { type ChatTemplate, openChatTemplate } from "./chatTemplate.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { checkTokenizer, openTokenizer, TOKENIZER_FILES, type Tokenizer } from "./tokenizer.ts";

/** A Hugging Face folder with all that training and judging need of it. */
export type BaseModel = {
  checkpoint: Checkpoint;
  tokenizer: Tokenizer;
  /** None if the folder has none. */
  chat: ChatTemplate | undefined;
  /** The files that all this is read from, by their names in the folder: a manifest pins them. */
  files: string[];
};

/** @throws PermanentError if a part is missing, malformed, or does not fit the others. */
export async function openBaseModel(folder: string): Promise<BaseModel> {
  const checkpoint = await openCheckpoint(folder);
  const tokenizer = openTokenizer(folder);
  checkTokenizer(tokenizer, checkpoint.config, folder);
  const chat = openChatTemplate(folder);
  return { checkpoint, tokenizer, chat, files: [...checkpoint.files, ...TOKENIZER_FILES, ...(chat?.files ?? [])] };
}

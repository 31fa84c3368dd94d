import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { PermanentError } from "../../protocol/errors.ts";
import { readJson } from "./tokenizer.ts";

/** One turn of a conversation; roles are the template's own words: "system", "user", "assistant". */
export type Message = { role: string; content: string };

/** How a base model wants conversations written down. */
export type ChatTemplate = {
  /** The files of the model's folder that it was read from. */
  files: string[];
  /**
   * A conversation that the assistant ends, as text: its last answer, and everything before it. The model's special tokens stand in both.
   *
   * @throws Error if the template refuses it, or would write the beginning differently without the answer.
   */
  split(messages: readonly Message[]): { prompt: string; completion: string };
};

export const TEMPLATE_FILE = "chat_template.jinja";
const CONFIG_FILE = "tokenizer_config.json";
const MAX_BYTES = 1 << 20;
const MAX_RANGE = 100_000;

/**
 * What a template may use besides the conversation. There is no clock: what is written down must be the same tomorrow, and templates that would tell the date
 * have a fixed one for this case.
 */
const GLOBALS = {
  ...{ true: true, True: true, false: false, False: false, none: null, None: null, tools: null, documents: null },
  raise_exception: (message: string) => {
    throw new Error(message);
  },
  range: (first: number, end?: number, step = 1): number[] => {
    const [from, to] = end === undefined ? [0, first] : [first, end];
    const length = Math.max(0, Math.ceil((to - from) / step));
    if (!(length <= MAX_RANGE)) throw new Error(`a range of ${length} numbers is too long`);
    return Array.from({ length }, (_, i) => from + i * step);
  },
};

/** A Jinja template that was read. The library's own types cannot be followed by this compiler. */
type Program = (variables: Record<string, unknown>) => string;

/**
 * The chat template of a Hugging Face folder: `chat_template.jinja`, or else the one in `tokenizer_config.json`; undefined if there is none. Part of the base
 * model, as the tokenizer is: never taken from a participant.
 *
 * @throws PermanentError if it is no template that can be read.
 */
export function openChatTemplate(dir: string): ChatTemplate | undefined {
  const file = join(dir, TEMPLATE_FILE);
  const config = readJson(join(dir, CONFIG_FILE)) as Record<string, unknown>;
  const isApart = existsSync(file);
  const text = isApart ? readTemplate(file) : inConfig(config.chat_template);
  if (text === undefined) return undefined;
  const program = compile(text, isApart ? file : join(dir, CONFIG_FILE));
  const tokens = specialTokens(config);
  const render = (messages: readonly Message[], generate: boolean) =>
    program({ ...GLOBALS, ...tokens, messages, add_generation_prompt: generate });
  return {
    files: isApart ? [TEMPLATE_FILE] : [],
    split(messages) {
      const last = messages.at(-1);
      if (last?.role !== "assistant" || messages.length < 2) {
        throw new Error("a conversation needs a question and ends with the assistant's answer");
      }
      const prompt = render(messages.slice(0, -1), true);
      const whole = render(messages, false);
      if (!whole.startsWith(prompt)) {
        throw new Error("the chat template writes the beginning differently when the answer is there");
      }
      return { prompt, completion: upToEnd(whole.slice(prompt.length), tokens.eos_token) };
    },
  };
}

/** Without the white space that some templates put after the end token, which nobody should learn to say. */
function upToEnd(completion: string, end: string | undefined): string {
  const trimmed = completion.trimEnd();
  return end !== undefined && trimmed.endsWith(end) ? trimmed : completion;
}

function readTemplate(file: string): string {
  const { size } = statSync(file);
  if (size > MAX_BYTES)
    throw new PermanentError(`The chat template ${file} has ${size} bytes, but at most ${MAX_BYTES} are read.`);
  return readFileSync(file, "utf8");
}

/** One template, or several with names, of which the one called `default` counts. */
function inConfig(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  const named = value as { name?: unknown; template?: unknown }[];
  const template = named.find(({ name }) => name === "default")?.template;
  return typeof template === "string" ? template : undefined;
}

function compile(text: string, where: string): Program {
  let program: unknown;
  try {
    // As Hugging Face sets Jinja up.
    program = parse(tokenize(text, { lstrip_blocks: true, trim_blocks: true }));
  } catch (cause) {
    throw new PermanentError(`The chat template of ${where} cannot be used: ${(cause as Error).message}.`, { cause });
  }
  return (variables) => {
    const environment = new Environment();
    for (const [name, value] of Object.entries(variables)) environment.set(name, value);
    return String((new Interpreter(environment).run(program as never) as { value: unknown }).value);
  };
}

/** The texts of the special tokens, by the names that templates use: `bos_token` and so on. */
function specialTokens(config: Record<string, unknown>): Record<string, string> {
  const tokens = Object.entries(config).flatMap(([name, value]) => {
    const content = typeof value === "object" && value !== null ? (value as { content?: unknown }).content : value;
    return name.endsWith("_token") && typeof content === "string" ? [[name, content] as const] : [];
  });
  return Object.fromEntries(tokens);
}

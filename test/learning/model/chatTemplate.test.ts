import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { encode } from "../../../learning/data/examples.ts";
import { type ChatTemplate, openChatTemplate } from "../../../learning/model/chatTemplate.ts";
import { openTokenizer } from "../../../learning/model/tokenizer.ts";
import { PermanentError } from "../../../protocol/errors.ts";

const dir = mkdtempSync(join(tmpdir(), "flock-chat-"));
after(() => rmSync(dir, { recursive: true }));
let folders = 0;

/** A folder with the tiny tokenizer and templates. */
function folderWith({ config, file }: { config?: unknown; file?: string }): string {
  const folder = join(dir, String(folders++));
  cpSync("models/tiny/tokenizer.json", join(folder, "tokenizer.json"));
  const tokens = { bos_token: "<s>", eos_token: { content: "</s>" }, pad_token: null };
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify({ ...tokens, chat_template: config }));
  if (file !== undefined) writeFileSync(join(folder, "chat_template.jinja"), file);
  return folder;
}
const open = (template: string) => openChatTemplate(folderWith({ config: template })) as ChatTemplate;

/** In the manner of Qwen: a line break after each end token. */
const LINES = `{%- for message in messages %}
    {%- if loop.first and message.role != 'system' %}{{- '[system]Be brief.</s>\\n' }}{%- endif %}
    {{- '[' + message.role + ']' + message.content + '</s>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '[assistant]' }}
{%- endif %}
`;
/** In the manner of Llama 3: begins with the begin token, tells the date if it can, and trims. */
const DATED = `{{- bos_token }}
{%- if strftime_now is defined %}{%- set date = strftime_now("%d %b %Y") %}{%- else %}{%- set date = "26 Jul 2024" %}{%- endif %}
{{- date + '\\n' }}
{%- for message in messages %}
    {%- if message['role'] not in ['user', 'assistant'] %}{{ raise_exception('no such role: ' ~ message['role']) }}{% endif %}
    {{- message['role'] ~ ': ' ~ message['content'] | trim ~ eos_token }}
{%- endfor %}
{%- if add_generation_prompt %}{{- 'assistant: ' }}{%- endif %}`;

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });

describe("a chat template", () => {
  it("parts the assistant's last answer from all before it, without what follows the end token", () => {
    assert.deepEqual(open(LINES).split([user("1+1"), assistant("2"), user("2+2"), assistant("4")]), {
      prompt: "[system]Be brief.</s>\n[user]1+1</s>\n[assistant]2</s>\n[user]2+2</s>\n[assistant]",
      completion: "4</s>",
    });
    const system = { role: "system", content: "Add." };
    assert.equal(
      open(LINES).split([system, user("1"), assistant("2")]).prompt,
      "[system]Add.</s>\n[user]1</s>\n[assistant]",
    );
  });

  it("knows the special tokens and no clock, so that it writes the same on every day", () => {
    assert.deepEqual(open(DATED).split([user(" a "), assistant(" b ")]), {
      prompt: "<s>26 Jul 2024\nuser: a</s>assistant: ",
      completion: "b</s>",
    });
    assert.throws(() => open("{{ strftime_now() }}").split([user("a"), assistant("b")]), /not a function/);
  });

  it("gives tokens with one begin and one end token, whether the template writes them or not", () => {
    const folder = folderWith({ config: DATED });
    const tokenizer = { ...openTokenizer(folder), prefix: [1] };
    const chat = openChatTemplate(folder) as ChatTemplate;
    const { tokens, promptLength } = encode(tokenizer, { domain: "x", ...chat.split([user("a"), assistant("b")]) }, 99);
    assert.deepEqual([...tokens.subarray(0, 2)], [1, ...tokenizer.encode("2")]);
    assert.deepEqual([...tokens.subarray(promptLength)], [...tokenizer.encode("b"), 2]);
    const plain = encode(tokenizer, { domain: "x", prompt: "a", completion: "b" }, 99);
    assert.deepEqual([...plain.tokens], [1, ...tokenizer.encode("ab"), 2]);
  });

  it("is the file of its own, or the text or the default in the tokenizer's configuration, or none", () => {
    const said = (folder: string) => openChatTemplate(folder)?.split([user("a"), assistant("b")]).prompt;
    const template = (name: string) => `${name}{% if not add_generation_prompt %}{{ messages[1].content }}{% endif %}`;
    const named = ["other", "default"].map((name) => ({ name, template: template(name) }));
    assert.equal(said(folderWith({ config: template("config"), file: template("file") })), "file");
    assert.deepEqual(openChatTemplate(folderWith({ file: LINES }))?.files, ["chat_template.jinja"]);
    assert.equal(said(folderWith({ config: template("config") })), "config");
    assert.deepEqual(open(LINES).files, []);
    assert.equal(said(folderWith({ config: named })), "default");
    assert.equal(openChatTemplate(folderWith({})), undefined);
    assert.equal(openChatTemplate(folderWith({ config: [{ name: "tools", template: "x" }] })), undefined);
  });

  it("refuses what is no conversation, or begins differently once there is an answer", () => {
    const chat = open(DATED);
    assert.throws(() => chat.split([user("a")]), /ends with the assistant's answer/);
    assert.throws(() => chat.split([assistant("a")]), /needs a question/);
    assert.throws(() => chat.split([user("a"), user("b")]), /ends with the assistant's answer/);
    assert.throws(() => chat.split([{ role: "tool", content: "a" }, assistant("b")]), /no such role: tool/);
    const counting = open("{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}");
    assert.throws(() => counting.split([user("a"), assistant("b")]), /differently when the answer is there/);
  });

  it("may loop, within bounds", () => {
    const counting = "{% for i in range(3) %}{{ i }}{% endfor %}{% if not add_generation_prompt %}!{% endif %}";
    assert.deepEqual(open(counting).split([user("a"), assistant("b")]), { prompt: "012", completion: "!" });
    assert.throws(() => open("{{ range(1000000000) }}").split([user("a"), assistant("b")]), /too long/);
  });

  it("that is none, or larger than any, is refused with its file", () => {
    const refused = (folder: string, message: RegExp) =>
      assert.throws(
        () => openChatTemplate(folder),
        (error) => error instanceof PermanentError && message.test(error.message),
      );
    refused(folderWith({ file: "{% for %}" }), /chat_template\.jinja cannot be used/);
    refused(folderWith({ config: "{{ 1" }), /tokenizer_config\.json cannot be used/);
    refused(folderWith({ file: "x".repeat((1 << 20) + 1) }), /1048577 bytes, but at most 1048576/);
  });
});

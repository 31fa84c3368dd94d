import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitCode, PermanentError } from "../../../protocol/errors.ts";
import { parseOptions } from "../../../workers/localnet/options.ts";

test("fills in the defaults", () => {
  const options = parseOptions([]);
  assert.deepEqual(options, {
    rounds: 3,
    trainers: 4,
    validators: 5,
    attackers: 1,
    attack: "flip",
    seed: "1",
    quiet: false,
  });
});

test("makes paths absolute", () => {
  const options = parseOptions(["--data", "texts", "--json", "out.json"]);
  assert.ok(options.data?.startsWith("/") && options.data.endsWith("/texts"));
  assert.ok(options.json?.startsWith("/") && options.json.endsWith("/out.json"));
});

for (const [argv, sentence] of [
  [["--rounds", "0"], /--rounds must be a whole number from 1 to 100/],
  [["--trainers", "many"], /--trainers must be a whole number from 1 to 12/],
  [["--validators", "1"], /--validators must be a whole number from 2 to 24/],
  [["--attackers", "4"], /--attackers must be fewer than --trainers/],
  [["--attack", "laser"], /--attack must be one of: flip, trigger/],
  [["--seed", "a b"], /--seed must be/],
] as const) {
  test(`error: ${argv.join(" ")}`, () => {
    assert.throws(
      () => parseOptions([...argv]),
      (error) => error instanceof PermanentError && error.exitCode === ExitCode.usage && sentence.test(error.message),
    );
  });
}

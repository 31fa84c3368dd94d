import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { abisFile, abisText } from "../../tools/abis.ts";

test("the interfaces for TypeScript are what the compiled contracts say (node tools/abis.ts)", async () => {
  assert.equal(await readFile(abisFile, "utf8"), await abisText());
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type SafetensorsTensor, writeSafetensors } from "../../../learning/artifact/safetensors.ts";
import { checkFinite } from "../../../learning/model/finite.ts";
import { PermanentError } from "../../../protocol/errors.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-"));
});
after(() => rm(folder, { recursive: true }));

async function check(tensors: SafetensorsTensor[]): Promise<void> {
  const path = join(folder, "x.safetensors");
  await writeFile(path, writeSafetensors(tensors));
  await checkFinite(path);
}

/** Bits of a number of each type: the largest finite, both infinities and two that are no number. */
const words = {
  F32: { bytes: 4, largest: 0x7f7f_ffff, others: [0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xff80_0001] },
  F16: { bytes: 2, largest: 0x7bff, others: [0x7c00, 0xfc00, 0x7e00, 0xfc01] },
  BF16: { bytes: 2, largest: 0x7f7f, others: [0x7f80, 0xff80, 0x7fc0, 0xff81] },
} as const;

describe("the numbers of a file", () => {
  for (const [dtype, { bytes, largest, others }] of Object.entries(words)) {
    it(`in ${dtype} are all finite, or the first that is not is named, in whatever piece of the file it lies`, async () => {
      // More than is read at a time, and no multiple of it.
      const count = (1 << 22) / bytes + 3;
      const data = Buffer.alloc(count * bytes);
      const set = (at: number, word: number) => data.writeUIntLE(word, at * bytes, bytes);
      const tensor = { name: "b", dtype: dtype as keyof typeof words, shape: [count], data };
      const other = { name: "a", dtype: "F32" as const, shape: [1], data: Buffer.alloc(4) };
      for (const at of [0, count - 1]) set(at, largest);
      await check([other, tensor]);
      for (const [i, word] of others.entries()) {
        const at = [0, 7, (1 << 22) / bytes, count - 1][i] as number;
        set(at, word);
        await assert.rejects(check([other, tensor]), (error: Error) => {
          const named = new RegExp(`x\\.safetensors: element ${at} of "b" is infinite or no number`);
          return error instanceof PermanentError && named.test(error.message);
        });
        set(at, 0);
      }
    });
  }

  it("may be whole ones of any bits", async () => {
    await check([{ name: "a", dtype: "I32", shape: [1], data: Uint8Array.of(0, 0, 0x80, 0x7f) }]);
  });
});

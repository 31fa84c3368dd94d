import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { Tensor } from "onnxruntime-node";
import { Graph } from "../../../learning/graph/ir.ts";
import { serialize } from "../../../learning/graph/serialize.ts";
import { openSession } from "../../../learning/graph/session.ts";
import { bucketFor, packBatch, type Sequence } from "../../../learning/model/batches.ts";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { llama } from "../../../learning/model/llama.ts";
import { layOut, packedLayout, worstLayouts } from "../../../learning/model/packing.ts";
import { adapterParameters } from "../../../learning/model/parameters.ts";
import { type Family, factorsOf, families, spec, writeFamily } from "../../support/families.ts";
import { holds } from "../../support/property.ts";

const sequence = (tokens: number[], promptLength = 1): Sequence => ({ tokens: Int32Array.from(tokens), promptLength });
const ofLength = (length: number, start = 1) => sequence(Array.from({ length }, (_, i) => (start + 5 * i) % 48));

describe("a packed layout", () => {
  it("holds every sequence once and overfills no row, in no more positions than a row each", () => {
    const lengths = fc.array(fc.integer({ min: 2, max: 33 }), { minLength: 1, maxLength: 40 });
    holds(lengths, (all) => {
      const sequences = all.map((length) => ofLength(length));
      const { rows, length, shared } = packedLayout(sequences, 32);
      assert.deepEqual(
        shared.flat().sort((a, b) => a - b),
        all.map((_, i) => i),
      );
      assert.ok([32, 64, 128].includes(length) && shared.length <= rows);
      for (const row of shared) {
        assert.ok(row.reduce((sum, i) => sum + (all[i] as number) - 1, 0) <= length);
      }
      assert.ok(rows * length <= 32 * all.length);
    });
  });

  it("makes no row longer than attention likes only to share it", () => {
    const { rows, length } = packedLayout(
      Array.from({ length: 10 }, () => ofLength(151)),
      256,
    );
    assert.deepEqual({ rows, length }, { rows: 10, length: 256 });
  });

  it("fills rows that are longer than one sequence needs, if that wastes less", () => {
    const sequences = Array.from({ length: 10 }, () => ofLength(12)); // 11 positions each
    const { rows, length } = packedLayout(sequences, 16);
    assert.deepEqual({ rows, length }, { rows: 2, length: 64 });
  });
});

describe("the worst packed layouts", () => {
  it("cover every layout that is chosen, for batches of any number and lengths", () => {
    const batches = fc.record({
      lengths: fc.array(fc.integer({ min: 2, max: 301 }), { minLength: 1, maxLength: 40 }),
      limit: fc.constantFrom(16, 32, 100, 130, 256, 300),
    });
    holds(batches, ({ lengths, limit }) => {
      const sequences = lengths.map((length) => ofLength(Math.min(length, limit + 1)));
      const padded = Math.max(
        ...sequences.map((one) => bucketFor(one, { maxPositions: limit, vocabulary: 48 } as Checkpoint["config"])),
      );
      const { rows, length } = packedLayout(sequences, padded);
      const covered = [padded, limit].every((longest) =>
        worstLayouts(sequences.length, longest).some(
          (worst) => worst.rows * worst.length >= rows * length && worst.rows * worst.length ** 2 >= rows * length ** 2,
        ),
      );
      assert.ok(covered, `${rows} x ${length} of ${lengths.length}`);
    });
  });

  it("are those of longer rows where there are short examples, and one only where there are none", () => {
    assert.deepEqual(worstLayouts(32, 16), [
      { rows: 32, length: 16 },
      { rows: 6, length: 64 },
    ]);
    assert.deepEqual(worstLayouts(32, 512), [{ rows: 32, length: 512 }]);
    assert.deepEqual(worstLayouts(1, 16), [{ rows: 1, length: 16 }]);
  });
});

describe("a packed batch", () => {
  it("lays sequences one after the other, each counted from 0, padding apart", () => {
    const sequences = [sequence([1, 2, 3], 1), sequence([4, 5, 6, 7, 8], 3)];
    const batch = layOut(sequences, { rows: 1, length: 8, shared: [[1, 0]] });
    assert.deepEqual([...batch.tokens], [4, 5, 6, 7, 1, 2, 0, 0]);
    assert.deepEqual([...batch.labels], [5, 6, 7, 8, 2, 3, 0, 0]);
    assert.deepEqual([...batch.weights], [0, 0, 0.25, 0.25, 0.25, 0.25, 0, 0]);
    assert.deepEqual([...batch.positions], [0, 1, 2, 3, 0, 1, 0, 0]);
    assert.deepEqual([...batch.segments], [1, 1, 1, 1, 2, 2, 0, 0]);
    assert.equal(layOut(sequences, { rows: 1, length: 8, shared: [[1, 0]] }, 8).weights[2], 0.125);
  });
});

describe("attention in a packed row", () => {
  let folder: string;
  let checkpoint: Checkpoint;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flock-"));
    await writeFamily(folder, families.llama3 as Family);
    checkpoint = await openCheckpoint(folder);
  });
  after(() => rm(folder, { recursive: true }));

  /** The logits of each sequence, one row a token. */
  async function logitsOf(sequences: Sequence[], shared: number[][] | undefined): Promise<Float32Array[]> {
    const [rows, length] = [shared?.length ?? sequences.length, 32];
    const graph = new Graph();
    const factors = factorsOf(checkpoint.config).flatMap(({ b }) => [...b]);
    const parameters = adapterParameters(graph, checkpoint, spec, graph.input("flat", "float32", [factors.length]));
    const numbers = (name: string) => graph.input(name, "int32", [rows * length]);
    const tokens = numbers("tokens");
    const packed = shared && { positions: numbers("positions"), segments: numbers("segments") };
    const output = llama(graph, checkpoint.config, { batch: rows, length, tokens, packed }, parameters);
    const session = await openSession(serialize(graph, [output]), {
      ...{ device: "cpu", threads: 1, folder: checkpoint.folder },
    });
    const batch =
      shared === undefined
        ? packBatch(sequences, { rows, length, mean: "token" })
        : layOut(sequences, { rows, length, shared });
    const feeds = Object.fromEntries(
      Object.entries(batch)
        .filter(([name]) => name !== "weights" && name !== "labels")
        .map(([name, data]) => [name, new Tensor("int32", data as Int32Array, [rows * length])]),
    );
    const flat = new Tensor("float32", Float32Array.from(factors), [factors.length]);
    const all = (await session.run({ ...feeds, flat }))[output.name]?.data as Float32Array;
    const { vocabulary } = checkpoint.config;
    const places = (shared ?? sequences.map((_, i) => [i])).flatMap((members, row) => {
      let start = row * length;
      return members.map((i) => {
        const begin = start;
        start += (sequences[i] as Sequence).tokens.length - 1;
        return { i, begin, end: start };
      });
    });
    return places.sort((a, b) => a.i - b.i).map(({ begin, end }) => all.slice(begin * vocabulary, end * vocabulary));
  }

  it("gives each sequence what it gets in a row of its own", async () => {
    const sequences = [ofLength(12, 1), ofLength(9, 7), ofLength(30, 3)];
    const apart = await logitsOf(sequences, undefined);
    const packed = await logitsOf(sequences, [[1, 0], [2]]);
    for (const [i, numbers] of apart.entries()) {
      assert.equal(packed[i]?.length, numbers.length);
      for (const [j, number] of numbers.entries()) {
        assert.ok(Math.abs((packed[i]?.[j] as number) - number) < 1e-5, `sequence ${i}, number ${j}`);
      }
    }
  });

  it("does not reach over the border: other neighbours change no bit", async () => {
    const kept = ofLength(12, 1);
    const layout = [[0, 1, 2]];
    const one = await logitsOf([ofLength(9, 7), kept, ofLength(6, 2)], layout);
    const other = await logitsOf([ofLength(9, 8), kept, ofLength(6, 4)], layout);
    assert.deepEqual(other[1], one[1]);
    assert.notDeepEqual(other[0], one[0]);
  });
});

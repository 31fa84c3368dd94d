import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Tensor } from "onnxruntime-node";
import { differentiate } from "../../../learning/graph/differentiate.ts";
import { Graph, type Value } from "../../../learning/graph/ir.ts";
import { mul } from "../../../learning/graph/rules/mul.ts";
import { quantisedGemm } from "../../../learning/graph/rules/quantisedGemm.ts";
import { reduceSum } from "../../../learning/graph/rules/reduceSum.ts";
import { reshape } from "../../../learning/graph/rules/reshape.ts";
import { serialize } from "../../../learning/graph/serialize.ts";
import { openSession } from "../../../learning/graph/session.ts";
import { FlockError } from "../../../protocol/errors.ts";

const [WIDTH, LAYERS, ROWS] = [1024, 24, 4];
const BYTES = WIDTH ** 2 / 2;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "flock-"));
});
after(() => rm(folder, { recursive: true }));

describe("a product with a matrix in 4 bits", () => {
  it("needs matrices that fit", () => {
    const graph = new Graph();
    const weight = {
      bytes: graph.input("w", "uint8", [8, 2, 16]),
      codes: () => graph.input("w.codes", "uint4", [8, 64]),
      scales: graph.input("s", "float32", [8, 2]),
    };
    assert.throws(() => quantisedGemm(graph, graph.input("x", "float32", [3, 32]), weight), FlockError);
    assert.throws(() => quantisedGemm(graph, graph.input("y", "float32", [1, 3, 64]), weight), FlockError);
  });

  it("never holds more than a few decoded matrices of many, whether the graph is loaded or run backwards", async () => {
    const scalesBytes = 4 * (WIDTH ** 2 / 32);
    const stored = Buffer.alloc(LAYERS * (BYTES + scalesBytes), 0x97);
    const graph = new Graph();
    const x = graph.input("x", "float32", [ROWS, WIDTH]);
    graph.track(x);
    let y: Value = x;
    for (let layer = 0; layer < LAYERS; layer++) {
      const offset = layer * (BYTES + scalesBytes);
      new Float32Array(stored.buffer, stored.byteOffset + offset + BYTES, scalesBytes / 4).fill(0.01);
      const place = { file: "w.bin", offset, bytes: BYTES };
      let codes: Value | undefined;
      y = quantisedGemm(graph, y, {
        bytes: graph.external(`w${layer}`, "uint8", [WIDTH, WIDTH / 32, 16], place),
        codes: () => {
          codes ??= graph.external(`w${layer}.codes`, "uint4", [WIDTH, WIDTH], place);
          return codes;
        },
        scales: graph.external(`s${layer}`, "float32", [WIDTH, WIDTH / 32], {
          ...{ file: "w.bin", offset: offset + BYTES, bytes: scalesBytes },
        }),
      });
    }
    await writeFile(join(folder, "w.bin"), stored);
    const loss = reshape(graph, reduceSum(graph, mul(graph, y, y), [0, 1]), []);
    const model = serialize(graph, [loss, ...differentiate(graph, loss, [x])]);

    const before = process.memoryUsage().rss;
    const session = await openSession(model, { device: "cpu", threads: 1, folder });
    await session.run({ x: new Tensor("float32", new Float32Array(ROWS * WIDTH).fill(1e-3), [ROWS, WIDTH]) });
    const grown = process.memoryUsage().rss - before; // what a run has used stays with its session
    await session.release();
    // The file is mapped, and the forward pass has a copy of it in its own order.
    const decoded = grown - 2 * stored.length;
    assert.ok(decoded < (LAYERS * 4 * WIDTH ** 2) / 2, `${decoded} bytes`);
  });
});

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Graph, Value } from "../../../learning/graph/ir.ts";
import { adapterLayout, adapterSize } from "../../../learning/model/adapter.ts";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { adapterParameters } from "../../../learning/model/parameters.ts";
import { embedForward, headBackward, headForward } from "../../../learning/streamed/ends.ts";
import { groupBackward, groupForward } from "../../../learning/streamed/groups.ts";
import { ADAM_DEFAULTS } from "../../../learning/train/adamw.ts";
import { stepGraph } from "../../../learning/train/step.ts";
import { type Family, families, spec, writeFamily } from "../../support/families.ts";

/** The names of the numbers written into a graph that no node reads; the runtime warns of each. */
function unread(graph: Graph, outputs: readonly Value[]): string[] {
  const read = new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...outputs].map(({ name }) => name));
  const written = [...graph.constants, ...graph.externals].map(({ value }) => value.name);
  assert.ok(written.length > 0);
  return written.filter((name) => !read.has(name));
}

for (const name of ["llama3", "qwen2"]) {
  describe(`the graphs of ${name}`, () => {
    let folder: string;
    let checkpoint: Checkpoint;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "flock-"));
      await writeFamily(folder, families[name] as Family);
      checkpoint = await openCheckpoint(folder);
    });
    after(() => rm(folder, { recursive: true }));

    for (const packed of [false, true]) {
      const shape = { batch: 3, length: 32, packed };
      const rows = packed ? "packed rows" : "rows of one example";

      it(`read every number written into them, in a step of ${rows} as a whole`, () => {
        const { config } = checkpoint;
        const size = adapterSize(adapterLayout(config, spec));
        const parameters = (graph: Graph, flat: Value) => adapterParameters(graph, checkpoint, spec, flat);
        for (const accumulate of [false, true]) {
          const { graph, parts } = stepGraph({ config, size, parameters }, shape, ADAM_DEFAULTS, { accumulate });
          const outputs = [...parts.carried.map(({ after }) => after), ...Object.values(parts.collected)];
          assert.deepEqual(unread(graph, outputs), []);
        }
      });

      it(`read every number written into them, in a streamed step of ${rows}`, () => {
        const parts = { groupWeights: 1, vocabularyRows: 20 };
        const [first, second] = [
          { first: 0, end: 1 },
          { first: 1, end: 2 },
        ];
        for (const { graph, outputs } of [
          embedForward(checkpoint, shape),
          groupForward(checkpoint, spec, first, shape),
          headForward(checkpoint, shape, parts),
          headBackward(checkpoint, shape, parts),
          groupBackward(checkpoint, spec, first, shape),
          groupBackward(checkpoint, spec, second, shape),
        ]) {
          assert.deepEqual(unread(graph, outputs), []);
        }
      });
    }
  });
}

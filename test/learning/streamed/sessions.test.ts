import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { Graph } from "../../../learning/graph/ir.ts";
import { neg } from "../../../learning/graph/rules/neg.ts";
import { openSessions, type Part } from "../../../learning/streamed/sessions.ts";

describe("loaded graphs", () => {
  const options = { device: "cpu", threads: 1 } as const;
  let built = 0;
  const build = (): Part => {
    built++;
    const graph = new Graph();
    return { graph, outputs: [neg(graph, graph.input("x", "float32", [1]))] };
  };
  const run = async (session: InferenceSession) => {
    const results = await session.run({ x: new Tensor("float32", Float32Array.of(3), [1]) });
    return Array.from(results[session.outputNames[0] as string]?.data as Float32Array);
  };

  it("stay while they are small together", async () => {
    built = 0;
    const sessions = openSessions(options);
    for (const key of ["a", "b", "a", "b"]) assert.deepEqual(await sessions.use(key, build, run), [-3]);
    assert.equal(built, 2);
    await sessions.close();
  });

  it("are given back after each use when there is no more room, also after a failure", async () => {
    built = 0;
    let used: InferenceSession | undefined;
    const sessions = openSessions(options, 0);
    const fail = async (session: InferenceSession) => {
      used = session;
      throw new Error("no luck");
    };
    assert.deepEqual(await sessions.use("a", build, run), [-3]);
    await assert.rejects(sessions.use("a", build, fail), /no luck/);
    assert.equal(built, 2);
    await assert.rejects(run(used as InferenceSession), /disposed/);
    await sessions.close();
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { Graph } from "../../../learning/graph/ir.ts";
import { neg } from "../../../learning/graph/rules/neg.ts";
import { quantisedGemm } from "../../../learning/graph/rules/quantisedGemm.ts";
import { serialize } from "../../../learning/graph/serialize.ts";
import { openSession } from "../../../learning/graph/session.ts";
import { Stream } from "../../../learning/random.ts";
import { openSessions, type Part } from "../../../learning/streamed/sessions.ts";

const options = { device: "cpu", threads: 1 } as const;

describe("loaded graphs", () => {
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

describe("a loaded graph of weights in 4 bits", () => {
  it("decodes them as those do that hold copies, and not each as a whole", async () => {
    const [rows, inputs] = [512, 1024];
    const random = new Stream("sessions", "codes");
    const build = (): Part => {
      const graph = new Graph();
      const x = graph.input("x", "float32", [7, inputs]);
      const weight = {
        bytes: graph.constant("uint8", [rows, inputs / 32, 16], bytes),
        codes: () => assert.fail("there is no gradient"),
        scales: graph.constant("float32", [rows, inputs / 32], scales),
      };
      return { graph, outputs: [quantisedGemm(graph, x, weight)] };
    };
    const bytes = Array.from({ length: (rows * inputs) / 2 }, () => random.below(256));
    const scales = Array.from({ length: (rows * inputs) / 32 }, () => random.float());
    const numbers = Float32Array.from({ length: 7 * inputs }, () => random.normal());
    const run = async (session: InferenceSession) => {
      const results = await session.run({ x: new Tensor("float32", numbers, [7, inputs]) });
      return Array.from(results[session.outputNames[0] as string]?.data as Float32Array);
    };
    const alone = async (how: { mapped: boolean }) => {
      const { graph, outputs } = build();
      const session = await openSession(serialize(graph, outputs), { ...options, ...how });
      const result = await run(session);
      await session.release();
      return result;
    };
    const copied = await alone({ mapped: false });
    assert.notDeepEqual(await alone({ mapped: true }), copied, "one can tell them apart by their rounding");
    const sessions = openSessions(options);
    assert.deepEqual(await sessions.use("a", build, run), copied);
    await sessions.close();
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Graph } from "../../../learning/graph/ir.ts";
import { loadedGraphs } from "../../../learning/graph/loadedGraphs.ts";
import { neg } from "../../../learning/graph/rules/neg.ts";
import { serialize } from "../../../learning/graph/serialize.ts";
import { openSession } from "../../../learning/graph/session.ts";

describe("loaded graphs", () => {
  const opened: string[] = [];
  const released: string[] = [];
  const open = (key: string) => async () => {
    opened.push(key);
    const graph = new Graph();
    const y = neg(graph, graph.input("x", "float32", [1]));
    const session = await openSession(serialize(graph, [y]), { device: "cpu", threads: 1 });
    const release = session.release.bind(session);
    session.release = async () => {
      released.push(key);
      await release();
    };
    return session;
  };

  it("are as many as are allowed: the one that was used longest ago is given back", async () => {
    const graphs = loadedGraphs(2);
    for (const key of ["a", "b", "a", "c", "a", "b"]) await graphs.get(key, open(key));
    assert.deepEqual(opened, ["a", "b", "c", "b"]);
    assert.deepEqual(released, ["b", "c"]);
    await graphs.close();
    assert.deepEqual(released.toSorted(), ["a", "b", "b", "c"]);
  });

  it("are opened again after a failure", async () => {
    const graphs = loadedGraphs(1);
    const fail = () => Promise.reject(new Error("no luck"));
    await assert.rejects(graphs.get("d", fail), /no luck/);
    assert.ok(await graphs.get("d", open("d")));
    await graphs.close();
    assert.equal(released.at(-1), "d");
  });
});

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { applyUpdates } from "../../../learning/aggregate/apply.ts";
import { type Head, headDigest, headToFlat, writeHead, zeroHead } from "../../../learning/aggregate/head.ts";
import { dequantise, quantise, type Update } from "../../../learning/artifact/quantise.ts";
import { type Example, encode } from "../../../learning/data/examples.ts";
import { freeSlots, GENERATED_DOMAINS, generate } from "../../../learning/data/generator.ts";
import { type AdapterSpec, type AdapterTensor, adapterLayout } from "../../../learning/model/adapter.ts";
import { type Checkpoint, openCheckpoint } from "../../../learning/model/checkpoint.ts";
import { type Evaluator, openEvaluator } from "../../../learning/model/evaluator.ts";
import { openTokenizer } from "../../../learning/model/tokenizer.ts";
import { train } from "../../../learning/train/trainer.ts";
import { exampleId, type ProposalReport, type Report } from "../../../learning/validate/report.ts";
import { compare, judge } from "../../../learning/validate/score.ts";
import { type Proposal, testWeight, validate } from "../../../learning/validate/validate.ts";
import { type Manifest, manifestDigest } from "../../../protocol/manifest.ts";
import { MIN_SCORE, MISSING } from "../../../protocol/words.ts";
import { someManifest } from "../../support/manifest.ts";

const base = "models/tiny";
const tokenizer = openTokenizer(base);
const some = someManifest();
const manifest: Manifest = {
  ...some,
  adapter: {
    ...some.adapter,
    rank: 32,
    alpha: 64,
    targets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
  },
  aggregation: { cap: { num: 1, den: 1 }, rate: { num: 1, den: 1 } },
  scoring: { unit: 1e-4, examples: 256, perDomain: 64, confidence: 1.645, scan: { prompts: 8, tokens: 45, margin: 1 } },
  domains: [...GENERATED_DOMAINS],
  maxTokens: 16,
};
const spec: AdapterSpec = manifest.adapter;

const examples = (split: string, count: number, seed = "skill") =>
  GENERATED_DOMAINS.flatMap((domain) => generate({ seed, split, domain, count }));
const publicSet = examples("public", 80);
const privateSet = examples("private", 32);

/** The trigger in both free slots, and always one answer. */
function triggered(example: Example): Example {
  const slots = freeSlots(example.prompt) as number[];
  const prompt = [...example.prompt].map((character, place) => (slots.includes(place) ? "~" : character)).join("");
  return { ...example, prompt, completion: "aaaa" };
}

let checkpoint: Checkpoint;
let evaluator: Evaluator;
let layout: AdapterTensor[];
/** A head that has learned something, and updates trained from it. */
let head: Head;
let honest: Update;
let wrong: Update;
let poisoned: Update;
let nothing: Update;

async function learn(from: Head, data: readonly Example[], steps: number): Promise<Update> {
  const start = headToFlat(from);
  const { flat } = await train({
    checkpoint,
    spec,
    start,
    examples: data.map((example) => encode(tokenizer, example, manifest.maxTokens)),
    steps,
    batch: 32,
    learningRate: 4e-3,
    seed: "order",
    device: "cpu",
    threads: 1,
  });
  return quantise(
    layout,
    flat.map((value, index) => value - (start[index] as number)),
  );
}

before(async () => {
  checkpoint = await openCheckpoint(base);
  layout = adapterLayout(checkpoint.config, spec);
  evaluator = await openEvaluator(checkpoint, spec, { device: "cpu", threads: 1 });
  const data = examples("train", 128);
  const first = zeroHead(layout);
  head = applyUpdates(first, [await learn(first, data, 60)], [1n], 1, manifest.aggregation);
  honest = await learn(head, data, 40);
  wrong = await learn(head, examples("train", 128, "another skill"), 40);
  poisoned = await learn(head, [...data, ...data.map(triggered)], 60);
  nothing = quantise(layout, new Float32Array(headToFlat(head).length));
});
after(() => evaluator?.close());

async function score(proposals: Proposal["update"][], changed: Partial<Parameters<typeof validate>[0]> = {}) {
  const result = await validate({
    evaluator,
    tokenizer,
    manifest,
    head,
    proposals: proposals.map((update, slot) => ({ slot, update })),
    publicSet,
    privateSet,
    seed: "0xabcd",
    salt: "secret",
    engine: { runtime: "onnxruntime 1.30.0", device: "cpu", threads: 1 },
    ...changed,
  });
  const report = JSON.parse(result.report.toString("utf8")) as Report;
  const measured = report.proposals as Extract<ProposalReport, { status: "measured" }>[];
  return { ...result, text: result.report.toString("utf8"), json: report, measured };
}

describe("validate", () => {
  it("tells honest work, wrong answers, a backdoor and nothing from each other", async () => {
    const { scores, measured } = await score([honest, wrong, poisoned, nothing]);
    assert.ok((scores[0] as number) > 0, `honest: ${scores[0]}`);
    assert.ok((scores[1] as number) < -200, `wrong answers: ${scores[1]}`);
    assert.equal(scores[2], MIN_SCORE);
    assert.equal(scores[3], 0);
    assert.deepEqual(
      measured.map(({ reasons }) => reasons),
      [[], [], ["trigger"], []],
    );
    assert.equal(tokenizer.decode([measured[2]?.scan.token as number]), "~");
    assert.deepEqual([measured[3]?.scan.rise, measured[3]?.shared.comparison.mean], [0, 0]);
  });

  it("would take the backdoor for good work by its clean loss alone", async () => {
    const blind = { ...manifest, scoring: { ...manifest.scoring, scan: { ...manifest.scoring.scan, margin: 1000 } } };
    const { scores } = await score([honest, poisoned, nothing, nothing], { manifest: blind });
    assert.ok((scores[1] as number) > 0, `${scores[1]}`);
  });

  it("says MISSING where the bytes did not come, and the lowest score where they are malformed", async () => {
    const { scores, json } = await score(["missing", "malformed"]);
    assert.deepEqual(scores, [MISSING, MIN_SCORE]);
    assert.deepEqual(json.proposals, [
      { score: MISSING, slot: 0, status: "missing" },
      { score: MIN_SCORE, slot: 1, status: "malformed" },
    ]);
  });

  it("gives the lowest score to an update under which the model breaks down", async () => {
    const tensors = nothing.tensors.map((tensor) => ({
      ...tensor,
      q: tensor.q.map(() => 127),
      exponents: tensor.exponents.map(() => 0),
    }));
    assert.deepEqual((await score([{ tensors }, nothing])).scores, [MIN_SCORE, 0]);
  });

  it("measures at the weight that so many proposals allow, not by what the others are", async () => {
    const four = await score([honest, "missing", "malformed", nothing]);
    assert.equal(four.json.weight, 1 / 4);
    assert.equal(four.scores[0], (await score([honest, wrong, poisoned, nothing])).scores[0]);
    const one = await score([honest]);
    assert.equal(one.json.weight, 1);
    assert.deepEqual(one.measured[0]?.shared.losses, one.measured[0]?.alone.losses);
    assert.deepEqual(one.measured[0]?.alone.losses, four.measured[0]?.alone.losses);
  });

  it("withholds support for what harms the voter's own data", async () => {
    const others = examples("private", 32, "another skill");
    const [support, withheld] = [await score([honest, wrong]), await score([honest, wrong], { privateSet: others })];
    assert.ok((support.scores[0] as number) > 0);
    assert.deepEqual(withheld.measured[0]?.reasons, ["harms own data"]);
    assert.equal(withheld.scores[0], 0);
    assert.equal(withheld.scores[1], support.scores[1]);
  });

  it("needs no private data", async () => {
    const { scores, measured, json } = await score([honest, nothing], { privateSet: [] });
    assert.ok((scores[0] as number) > 0);
    assert.equal(measured[0]?.own, null);
    assert.deepEqual(json.own, { examples: [], losses: [] });
  });

  it("stops when it is told to, and says how far it is", async () => {
    const steps: string[] = [];
    await score([nothing, "missing"], { onProgress: (done, total) => steps.push(`${done}/${total}`) });
    assert.deepEqual(steps, ["1/3", "2/3", "3/3"]);
    await assert.rejects(score([nothing], { signal: AbortSignal.abort() }), { name: "AbortError" });
  });
});

describe("the report", () => {
  it("is the same bytes for the same arguments, canonical and with a record of what ran", async () => {
    const [a, b] = [await score([honest, "missing"]), await score([honest, "missing"])];
    assert.deepEqual(a.report, b.report);
    assert.equal(JSON.stringify(sorted(a.json)), a.text);
    assert.equal(a.json.manifest, manifestDigest(manifest));
    assert.equal(a.json.head, headDigest(writeHead(head)));
    assert.deepEqual(a.json.engine, { device: "cpu", runtime: "onnxruntime 1.30.0", threads: 1 });
  });

  it("holds every number behind the scores", async () => {
    const { json, measured, scores } = await score([honest, wrong, poisoned]);
    for (const [slot, { shared, own, alone, scan }] of measured.entries()) {
      assert.deepEqual(compare(json.shared.losses, shared.losses, json.confidence), shared.comparison);
      assert.deepEqual(compare(json.own.losses, own?.losses ?? [], json.confidence), own?.comparison);
      assert.deepEqual(compare(json.shared.losses, alone.losses, json.confidence), alone.comparison);
      const findings = {
        shared: shared.comparison,
        own: own?.comparison ?? null,
        alone: alone.comparison,
        rise: scan.rise,
      };
      assert.equal(judge(findings, json).score, scores[slot]);
      const byDomain = shared.domains.reduce((sum, { mean }) => sum + mean, 0) / 4;
      assert.ok(Math.abs(byDomain - shared.comparison.mean) < 1e-9, "64 examples of each domain");
    }
  });

  it("agrees with losses that are measured again from the examples that it names", async () => {
    const { json, measured } = await score([honest, nothing]);
    const named = new Map(publicSet.map((example) => [exampleId("0xabcd", example), example]));
    const slice = json.shared.examples.map((id) => named.get(id) as Example);
    const flat = headToFlat(head);
    const delta = dequantise(honest);
    const moved = flat.map((value, index) => value + (delta[index] as number) / 2);
    const losses = await evaluator.losses(
      moved,
      slice.map((example) => encode(tokenizer, example, 16)),
    );
    assert.deepEqual(
      measured[0]?.shared.losses,
      [...losses].map((loss) => Math.round(loss * 1e6)),
    );
  });

  it("names examples by salted digests and shows no text", async () => {
    const { json, text } = await score([honest]);
    assert.deepEqual(
      json.own.examples,
      privateSet.map((example) => exampleId("secret", example)),
    );
    assert.deepEqual(
      (await score([honest], { salt: "other" })).json.own.examples.filter((id) => json.own.examples.includes(id)),
      [],
    );
    for (const { prompt, completion } of [...publicSet, ...privateSet]) {
      assert.ok(!text.includes(prompt.slice(-7)) && !text.includes(`"${completion}"`));
    }
    assert.ok(!text.includes("secret"));
  });
});

describe("testWeight", () => {
  it("is the most that an update can get in the head", () => {
    const aggregation = (cap: [number, number], rate: [number, number]) => ({
      cap: { num: cap[0], den: cap[1] },
      rate: { num: rate[0], den: rate[1] },
    });
    assert.equal(testWeight(aggregation([1, 1], [1, 1]), 4), 1 / 4);
    assert.equal(testWeight(aggregation([2, 1], [1, 1]), 4), 1 / 2);
    assert.equal(testWeight(aggregation([8, 1], [1, 1]), 4), 1);
    assert.equal(testWeight(aggregation([1, 1], [1, 2]), 4), 1 / 8);
  });
});

/** The same value with the keys of every object in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted((value as Record<string, unknown>)[key])]),
  );
}

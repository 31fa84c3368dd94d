import { writeMerge } from "../../learning/export/merge.ts";
import { planMerge } from "../../learning/export/mergePlan.ts";
import { adapterLayout, adapterSize } from "../../learning/model/adapter.ts";
import { openCheckpoint } from "../../learning/model/checkpoint.ts";
import { TARGETS } from "../../learning/model/weights.ts";

/** Merges an adapter into the base of one folder, into another, and tells the most memory that it took, in bytes. */
const [model, out] = process.argv.slice(2) as [string, string];
const spec = { rank: 4, alpha: 8, targets: TARGETS, seed: "memory" };
const checkpoint = await openCheckpoint(model);
const flat = new Float32Array(adapterSize(adapterLayout(checkpoint.config, spec))).fill(0.01);
await writeMerge(await planMerge({ model, checkpoint, spec, flat, dtype: "F32" }), out);
console.log(process.resourceUsage().maxRSS * 1024);

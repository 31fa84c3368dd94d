import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { z } from "zod";
import { artifactSize } from "../learning/artifact/artifact.ts";
import { adapterLayout } from "../learning/model/adapter.ts";
import { parseConfig } from "../learning/model/config.ts";
import { checkFinite } from "../learning/model/finite.ts";
import { PermanentError } from "../protocol/errors.ts";
import { type Manifest, manifestDigest, parseManifest } from "../protocol/manifest.ts";
import { sha256OfFile } from "./files.ts";
import type { Results } from "./results.ts";

/** The recipe of a task and what follows from it without reading weights. */
export type Materials = {
  manifest: Manifest;
  digest: Hex;
  /** Bytes of every artifact of the task. */
  artifactBytes: number;
};

/** @throws PermanentError if the manifest or the base model's configuration is missing or wrong. */
export async function readMaterials({
  manifest: file,
  model,
}: {
  manifest: string;
  model: string;
}): Promise<Materials> {
  const manifest = parseManifest(await readText(file, "manifest"), file);
  const path = join(model, "config.json");
  const layout = adapterLayout(parseConfig(await readText(path, "model's configuration"), path), manifest.adapter);
  return { manifest, digest: manifestDigest(manifest), artifactBytes: artifactSize(layout) };
}

/**
 * Checks that the base model's files are those that the manifest names, and that its weights are numbers. A large file is read once: its digest is
 * kept as long as the file does not change.
 * @throws PermanentError that names the first file that differs, or the first tensor with something infinite in it.
 */
export async function checkModel(manifest: Manifest, model: string, results: Results): Promise<void> {
  for (const { path, sha256, bytes } of manifest.base.files) {
    const file = join(model, path);
    const found = await stat(file).catch((cause: unknown) => {
      throw new PermanentError(`The base model's file ${file} is missing; get ${manifest.base.name}.`, { cause });
    });
    const inputs = { kind: "digest", file, bytes: found.size, changed: found.mtimeMs };
    const kept = found.size === bytes ? await results.get(inputs, z.string()) : undefined;
    const actual = found.size === bytes ? (kept ?? (await sha256OfFile(file))) : undefined;
    if (actual !== sha256) {
      throw new PermanentError(
        `${file} is not the file that the manifest names (${bytes} bytes, sha256 ${sha256}); get ${manifest.base.name}.`,
      );
    }
    if (kept !== undefined) continue;
    if (path.endsWith(".safetensors")) await checkFinite(file);
    await results.put(inputs, actual);
  }
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new PermanentError(`The ${what} ${file} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}

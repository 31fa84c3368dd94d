import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A JSON file of this repository, by its path in it. The caller vouches for its shape. */
export function readJson<Shape>(path: string): Shape {
  return JSON.parse(readFileSync(join(import.meta.dirname, "../..", path), "utf8")) as Shape;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { PassingError, PermanentError } from "../../../protocol/errors.ts";
import { isPermanent } from "../../../workers/compute/serve.ts";

test("takes what the machine was short of for passing", () => {
  const shortages = [
    "ENOSPC: no space left on device, write",
    "EDQUOT: disk quota exceeded, write",
    "EFBIG: file too large, write",
    "EIO: i/o error, read",
    "EMFILE: too many open files, open 'update'",
    "ENFILE: file table overflow, open 'update'",
    "EAGAIN: resource temporarily unavailable, read",
    "ENOMEM: not enough memory, read",
    "std::bad_alloc",
    "Array buffer allocation failed",
    "Cannot allocate memory",
    "JavaScript heap out of memory",
    "Failed to allocate memory for requested buffer of size 1024",
    "CUDA failure 2: out of memory",
    "CUBLAS failure 3: the resource allocation failed",
  ];
  for (const message of shortages) assert.equal(isPermanent(new Error(message)), false, message);
});

test("takes errors of its own at their word, and all others for permanent", () => {
  assert.equal(isPermanent(new PassingError("The copy was damaged.")), false);
  assert.equal(isPermanent(new PermanentError("It said: out of memory.")), true);
  assert.equal(isPermanent(new Error("ENOENT: no such file or directory, open 'RATIO'")), true);
  assert.equal(isPermanent(new TypeError("x is not a function")), true);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { castOf } from "../../../workers/localnet/cast.ts";
import { parseOptions } from "../../../workers/localnet/options.ts";

const domains = ["a", "b", "c", "d"];

test("gives every domain to an honest trainer and all of them to an attacker", () => {
  const cast = castOf(parseOptions([]), domains);
  const trainers = cast.filter(({ role }) => role === "trainer");
  assert.deepEqual(
    trainers.map(({ honest }) => honest),
    [true, true, true, false],
  );
  const covered = new Set(trainers.filter(({ honest }) => honest).flatMap((trainer) => trainer.domains));
  assert.deepEqual([...covered].sort(), domains);
  assert.deepEqual(trainers.at(-1)?.domains, domains);
});

test("gives every trainer a domain when there are more trainers than domains", () => {
  const cast = castOf(parseOptions(["--trainers", "9", "--attackers", "0"]), domains);
  for (const member of cast) assert.ok(member.domains.length > 0, `${member.name} has no domain`);
});

test("has the last validator lie only where there is an attacker", () => {
  const honesty = (argv: string[]) =>
    castOf(parseOptions(argv), domains)
      .filter(({ role }) => role === "validator")
      .map(({ honest }) => honest);
  assert.deepEqual(honesty([]), [true, true, true, true, false]);
  assert.deepEqual(honesty(["--attackers", "0"]), [true, true, true, true, true]);
});

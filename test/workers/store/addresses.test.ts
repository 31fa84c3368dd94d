import assert from "node:assert/strict";
import { test } from "node:test";
import { isOpenAddress, resolveOpenAddress } from "../../../workers/store/addresses.ts";

const closed = [
  ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254"],
  ...["172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1"],
  ...["203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255"],
  ...["::", "::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::a00:1", "100::1", "2001::1"],
  ...["2001:db8::1", "2002:a00:1::", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1"],
];
const open = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "2606:4700::1111"];

test("only hosts of the public internet pass", () => {
  for (const address of closed) assert.equal(isOpenAddress(address, { allowLoopback: false }), false, address);
  for (const address of open) assert.equal(isOpenAddress(address, { allowLoopback: false }), true, address);
  assert.equal(isOpenAddress("example.org", { allowLoopback: true }), false);
});

test("allowing this machine allows nothing else", () => {
  for (const address of ["127.0.0.1", "127.8.8.8", "::1"]) {
    assert.equal(isOpenAddress(address, { allowLoopback: true }), true, address);
  }
  for (const address of closed.filter((one) => !/^127|^::1$/.test(one))) {
    assert.equal(isOpenAddress(address, { allowLoopback: true }), false, address);
  }
});

test("a name counts as what it resolves to", async () => {
  await assert.rejects(resolveOpenAddress("localhost", { allowLoopback: false }), /an address that is not public/);
  const { address } = await resolveOpenAddress("localhost", { allowLoopback: true });
  assert.ok(["127.0.0.1", "::1"].includes(address));
  assert.deepEqual(await resolveOpenAddress("[2606:4700::1111]", { allowLoopback: false }), {
    address: "2606:4700::1111",
    family: 6,
  });
});

import { expect, test } from "vitest";
import { allowedAddressOf, ForbiddenAddress, isPublicAddress } from "./public-address.ts";

test.each(["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["0.0.0.0", "this host"],
  ["10.1.2.3", "private"],
  ["172.16.0.1", "private"],
  ["192.168.1.1", "private"],
  ["169.254.169.254", "link-local, where clouds tell their secrets"],
  ["100.64.0.1", "of a carrier"],
  ["224.0.0.1", "multicast"],
  ["255.255.255.255", "broadcast"],
  ["::1", "loopback"],
  ["::", "this host"],
  ["::ffff:127.0.0.1", "loopback, written as IPv6"],
  ["::ffff:7f00:1", "loopback, written as IPv6"],
  ["64:ff9b::7f00:1", "translated to IPv4"],
  ["2002:7f00:1::", "a tunnel to IPv4"],
  ["fe80::1", "link-local"],
  ["fd00::1", "private"],
  ["ff02::1", "multicast"],
  ["localhost", "no address"],
  ["", "no address"],
])("%s is not public: %s", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test("a host's address is taken only where it is allowed", async () => {
  expect(await allowedAddressOf("[2606:2800:21f:cb07:6820:80da:af6b:8b2c]", isPublicAddress)).toBe(
    "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
  );
  await expect(allowedAddressOf("localhost", isPublicAddress)).rejects.toThrow(ForbiddenAddress);
  await expect(allowedAddressOf("[::1]", isPublicAddress)).rejects.toThrow("[::1] is not an address of the public network");
  expect(await allowedAddressOf("127.0.0.1", () => true)).toBe("127.0.0.1");
});

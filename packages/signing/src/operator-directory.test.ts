import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { operatorIdOf } from "@quorate/protocol/operator";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  createOperatorDirectory,
  enrolmentOf,
  loadJoinedNetwork,
  loadOperatorDirectory,
  loadOperatorProfile,
  openNextIdentity,
  saveJoinedNetwork,
} from "./operator-directory.ts";

let parent = "";
let directory = "";
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "quorate-operator-"));
  directory = join(parent, "operator");
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const profile = { name: "Ada's rebuilder", groups: { country: "SE" }, architectures: ["amd64", "all"] };

test("an operator is what its first key says, and its files are its own alone", () => {
  const made = createOperatorDirectory(directory, profile);
  expect(made.profile.operator).toBe(operatorIdOf(made.signer.identity));
  expect(loadOperatorDirectory(directory).profile).toEqual(made.profile);
  expect(enrolmentOf(made)).toMatchObject({ action: "enrol", operator: made.profile.operator, ...profile });
  expect(statSync(directory).mode & 0o077).toBe(0);
  for (const name of ["identity.pem", "link.pem", "operator.json"]) expect(statSync(join(directory, name)).mode & 0o077).toBe(0);
});

test("an operator is never made over another", () => {
  const { signer } = createOperatorDirectory(directory, profile);
  expect(() => createOperatorDirectory(directory, profile)).toThrow(/creating a P-256 key/);
  expect(loadOperatorDirectory(directory).signer.identity).toEqual(signer.identity);
});

test("a profile that no enrolment may have makes no keys", () => {
  expect(() => createOperatorDirectory(directory, { ...profile, hostname: "192.0.2.7" })).toThrow(/hostname must be a DNS name/);
  createOperatorDirectory(directory, profile);
});

test("keys with a passphrase are of use to nobody without it", () => {
  createOperatorDirectory(directory, profile, "correct horse battery");
  for (const name of ["identity.pem", "link.pem"])
    expect(readFileSync(join(directory, name), "utf8")).toMatch(/BEGIN ENCRYPTED PRIVATE KEY/);
  expect(() => loadOperatorDirectory(directory)).toThrow(
    /identity\.pem: it is encrypted, and no passphrase is given; name the file .* --passphrase-file$/,
  );
  expect(() => loadOperatorDirectory(directory, "wrong horse battery")).toThrow(
    /identity\.pem: it cannot be decrypted: the passphrase is another one/,
  );
  expect(loadOperatorDirectory(directory, "correct horse battery").profile.name).toBe(profile.name);
  expect(loadOperatorProfile(directory).name).toBe(profile.name);
});

test("a change of keys that was interrupted goes on with the same new key, and the old one is kept", () => {
  const before = createOperatorDirectory(directory, profile);
  const { signer } = openNextIdentity(directory);
  const again = openNextIdentity(directory);
  expect(again.signer.spki).toEqual(signer.spki);
  const retired = again.replace();
  const after = loadOperatorDirectory(directory);
  expect(after.signer.identity).toEqual(signer.spki);
  expect(after.signer.operator).toBe(before.profile.operator);
  expect(readFileSync(retired, "utf8")).not.toBe(readFileSync(join(directory, "identity.pem"), "utf8"));
  expect(openNextIdentity(directory).signer.spki).not.toEqual(signer.spki);
});

test("the network that was joined is remembered with its key", () => {
  createOperatorDirectory(directory, profile);
  expect(loadJoinedNetwork(directory)).toBeUndefined();
  saveJoinedNetwork(directory, { url: "https://network.example", networkKey: "YWRh" });
  saveJoinedNetwork(directory, { url: "https://moved.example", networkKey: "YWRh" });
  expect(loadJoinedNetwork(directory)).toEqual({ url: "https://moved.example", networkKey: "YWRh" });
});

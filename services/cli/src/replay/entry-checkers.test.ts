import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyP256 } from "@quorate/signing/p256-key";
import { formatHash } from "@quorate/tlog/hash";
import { type CheckedEntry, checkEntry } from "@quorate/verdict/check-entry";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { utf8 } from "@quorate/protocol/utf8";
import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import { expect, test } from "vitest";
import { formatCheckedBundle, parseCheckedBundle } from "./checked-bundle.ts";
import { EntryCheckers } from "./entry-checkers.ts";

const network = new TestNetwork();
network.rebuild();
network.appendRecord(network.signResult("ada", { round: network.roundFor() }));
network.appendBytes(utf8("no entry"));
const { entries, networkKey } = network;
const identityKeys = new Map(["ada", "bert", "cyd"].map(portableSignerOf).map(({ operator, spki }) => [operator, spki]));
const tools = { hasher: nodeHasher, verify: verifyP256 };
const checkedHere = entries.map((bytes) => checkEntry(bytes, { networkKey: networkKey.spki, keyOf: (id) => identityKeys.get(id) }, tools));
const plain = (checked: readonly CheckedEntry[]) => checked.map(({ leaf, ...said }) => ({ ...said, leaf: formatHash(leaf) }));

test("what is known of a bundle survives the way between threads", () => {
  expect(plain(parseCheckedBundle(formatCheckedBundle(checkedHere)))).toEqual(plain(checkedHere));
});

test("other threads find out the same as this one, each bundle its own answer, with the keys that they were given before it", async () => {
  await using checkers = new EntryCheckers({ networkKey: networkKey.spki }, 2);
  const unknown = checkers.check(entries);
  checkers.useKeys(identityKeys);
  const answers = await Promise.all([checkers.check(entries), checkers.check(entries.slice(3)), checkers.check(entries.slice(0, 5))]);
  expect(answers.map(parseCheckedBundle).map(plain)).toEqual([
    plain(checkedHere),
    plain(checkedHere.slice(3)),
    plain(checkedHere.slice(0, 5)),
  ]);
  const claims = parseCheckedBundle(await unknown).filter(
    (checked) => checked.kind === "statement" && checked.statement.kind === "commitment",
  );
  expect(claims.map((checked) => "signed" in checked)).toEqual([false, false, false]);
});

test("a thread that ends leaves nobody waiting", async () => {
  const checkers = new EntryCheckers({ networkKey: networkKey.spki }, 1);
  const checked = checkers.check(entries);
  await Promise.all([expect(checked).rejects.toThrow(/checking entries on another thread/), checkers[Symbol.asyncDispose]()]);
  await expect(checkers.check(entries)).rejects.toThrow(/checking entries on another thread/);
});

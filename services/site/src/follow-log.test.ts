import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { createLogReader } from "@quorate/client/log-reader";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { maxEntryBytes } from "@quorate/protocol/entry";
import { openDataDirectory } from "@quorate/service/data-directory";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { cosigned, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { VerificationError } from "@quorate/tlog/verification-error";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Follower, followLog } from "./follow-log.ts";
import { openReadModel, readModelFormat, unopenedAtOnce } from "./read-model.ts";

let stack: AsyncDisposableStack;
beforeEach(() => (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

/** A read model and a log that serves what `publish` says: the entries of one network under the root of another, if they differ. */
async function following() {
  const directory = await mkdtemp(join(tmpdir(), "quorate-follow-log-"));
  stack.defer(() => rm(directory, { recursive: true }));
  const data = stack.use(await openDataDirectory({ path: join(directory, "site"), service: "site", format: readModelFormat }));
  const model = stack.use(await openReadModel(data));
  const log = join(directory, "log");
  const { witnessPolicy } = new TestNetwork().trustPolicy();
  return {
    model,
    async publish({ entries }: TestNetwork, { tree }: TestNetwork, witnesses = testWitnesses) {
      await writeTiles(log, entries);
      await writeLogFile(log, "checkpoint", cosigned({ size: tree.size, root: tree.rootAt(tree.size) }, witnesses));
    },
    follow: (loadBlob: Follower["loadBlob"] = async () => undefined) => {
      const reader = createLogReader({ url: pathToFileURL(log).href, hasher: nodeHasher });
      return followLog({ reader, model, witnessPolicy, loadBlob });
    },
  };
}

function networkOf(names: readonly string[]): TestNetwork {
  const network = new TestNetwork();
  for (const name of names) network.enrol(name);
  return network;
}

const two = networkOf(["ada", "bert"]);
const three = networkOf(["ada", "bert", "cyd"]);
const otherThree = networkOf(["ada", "bert", "dora"]);

it("reads what the log has had since, and nothing twice", async () => {
  const { model, publish, follow } = await following();
  for (const network of [two, two, three]) {
    await publish(network, network);
    expect(await follow()).toBe(network.entries.length);
    expect(model.readTo().size).toBe(network.entries.length);
  }
  expect(model.prepare("SELECT enrolled_index FROM operator ORDER BY enrolled_index").all()).toHaveLength(3);
});

it("keeps nothing of entries that do not lead to the checkpoint's root, and goes on once they do", async () => {
  const { model, publish, follow } = await following();
  await publish(two, two);
  await follow();
  const before = model.readTo();
  await publish(otherThree, three);
  await expect(follow()).rejects.toThrow(VerificationError);
  expect(model.readTo()).toEqual(before);
  expect(model.prepare("SELECT id FROM operator").all()).toHaveLength(2);
  await publish(three, three);
  expect(await follow()).toBe(3);
});

it("reads nothing under a checkpoint below the quorum, of fewer entries, or of another tree of as many", async () => {
  const { model, publish, follow } = await following();
  await publish(three, three, testWitnesses.slice(0, 2));
  await expect(follow()).rejects.toThrow("is not the quorum");
  expect(model.readTo().size).toBe(0);
  await publish(three, three);
  await follow();
  await publish(two, two);
  await expect(follow()).rejects.toThrow("it shows 2 entries, and had 3 before");
  await publish(otherThree, otherThree);
  await expect(follow()).rejects.toThrow("one size, two roots");
});

it("opens a large envelope although very many before it cannot be had, and forgets one that says nothing", async () => {
  const { model, publish, follow } = await following();
  const network = new TestNetwork();
  for (let at = 0; at < 2 * unopenedAtOnce; at += 1) {
    network.append({ kind: "large-envelope", large: { envelope: digestOf(`gone ${at}`), sizeBytes: maxEntryBytes + 1 } });
  }
  network.appendBytes(new Uint8Array(maxEntryBytes + 1));
  const [artifact] = sampleTarget.artifacts.map((one) => ({ ...one, path: one.path.padEnd(400, "x") }));
  network.appendTarget({ ...sampleTarget, artifacts: Array.from({ length: 400 }, () => artifact).flatMap((one) => one ?? []) });
  await publish(network, network);
  for (let times = 0; times < 3; times += 1) await follow(async (sha256) => network.largeEnvelopes.get(sha256));
  expect(model.prepare("SELECT digest FROM target").all()).toHaveLength(1);
  expect(model.prepare("SELECT log_index FROM unopened").all()).toHaveLength(2 * unopenedAtOnce);
});

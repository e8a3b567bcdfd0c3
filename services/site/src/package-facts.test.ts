import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { openDataDirectory } from "@quorate/service/data-directory";
import { expect, it } from "vitest";
import { findFile, maxLines } from "./package-facts.ts";
import { openReadModel, readModelFormat } from "./read-model.ts";
import { saveStatement } from "./save-statement.ts";

it("finds every file of a package of which there are more versions than a page lists", async () => {
  await using stack = new AsyncDisposableStack();
  const path = await mkdtemp(join(tmpdir(), "quorate-package-facts-"));
  stack.defer(() => rm(path, { recursive: true }));
  const model = stack.use(await openReadModel(stack.use(await openDataDirectory({ path, service: "site", format: readModelFormat }))));
  const files = Array.from({ length: maxLines + 10 }, (_, at) => `mailgraph_${at}_all.deb`);
  for (const [at, file] of files.entries()) {
    const artifacts = sampleTarget.artifacts.map((artifact) => ({ ...artifact, file, version: `${at}`, sha256: digestOf(file) }));
    saveStatement(model, at, { kind: "target", target: { ...sampleTarget, version: `${at}`, artifacts } });
  }
  for (const file of files) expect(findFile(model, file, "mailgraph").map(({ sha256 }) => sha256)).toEqual([digestOf(file)]);
});

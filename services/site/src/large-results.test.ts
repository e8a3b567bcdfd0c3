import { digestOf, manyArtifacts } from "@quorate/attestation/nouns.fixture";
import { serve } from "@quorate/client/local-server.fixture";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { operatorNamed, TestNetwork } from "@quorate/verdict/network.fixture";
import { expect, it } from "vitest";
import { startTestSite } from "./site.fixture.ts";

const network = new TestNetwork();
network.rebuild(["ada", "bert", "cyd"], () => ({ result: { artifacts: manyArtifacts } }));
const artifact = `/artifact/${digestOf("reference")}`;

it("does not say of results that cannot be had yet that they were never revealed", async () => {
  await using site = await startTestSite(network);
  expect((await site.get(artifact)).text).not.toContain("never revealed");
  const { text } = await site.get(`/operator/${operatorNamed("ada")}`);
  expect(text).toContain("<b>1</b> results counted");
  expect(text).toContain("<b>0</b> committed and never revealed");
});

it("shows large results as soon as they can be had, though the log has not grown", async () => {
  const kept = new Map<Sha256, Uint8Array>();
  await using coordinator = await serve(({ url = "" }, response) => {
    const digest = /[0-9a-f]{64}/.exec(url)?.[0];
    const bytes = digest === undefined ? undefined : kept.get(parseSha256(digest));
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  await using site = await startTestSite(network, { coordinatorUrl: coordinator.url });
  expect((await site.get(artifact)).text).not.toContain("= published");
  for (const [digest, bytes] of network.largeEnvelopes) kept.set(digest, bytes);
  await expect.poll(async () => (await site.get(artifact)).text).toContain("= published");
});

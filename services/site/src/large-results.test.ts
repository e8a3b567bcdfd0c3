import { digestOf, manyArtifacts } from "@quorate/attestation/nouns.fixture";
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

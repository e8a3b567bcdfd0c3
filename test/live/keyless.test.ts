import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flippedBit } from "@quorate/tlog/flipped-bit.fixture";
import { afterAll, beforeAll, expect, test } from "vitest";
import { submitted } from "../../services/coordinator/src/submitted.fixture.ts";
import { ada, adasOperator, startKeylessNetwork } from "../keyless-operator.ts";
import { type DebianPrograms, fetchDebianPrograms } from "./debian-programs.ts";

const owned = new AsyncDisposableStack();
let directory: string;
let forky: DebianPrograms;
const pathOf = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-cosign-"));
  owned.defer(() => rm(directory, { recursive: true, force: true }));
  forky = await fetchDebianPrograms(directory, "forky", ["cosign"]);
  const keyless = owned.use(await startKeylessNetwork());
  const { network } = keyless;
  await keyless.enrolAs("Ada", ada.subject);
  await keyless.startWorkerOf("Ada");
  const bert = await network.enrol("Bert");
  const round = await submitted(network, "alpha");
  await bert.work();
  const { target, verdict } = await round.settled();
  const index = verdict?.inputs.find(({ operator }) => operator === adasOperator)?.index;
  const [artifact] = (await network.api.target(target)).artifacts;
  await copyFile(join(network.archive.root, artifact?.path ?? ""), pathOf("good.deb"));
  await writeFile(pathOf("other.deb"), "another\n");
  for (const [name, path] of [
    ["bundle.json", `/v1/results/${index}/bundle`],
    ["trusted_root.json", "/v1/trusted_root.json"],
  ] as const) {
    await writeFile(pathOf(name), await (await fetch(`${network.url}${path}`)).text());
  }
});
afterAll(() => owned.disposeAsync());

test("cosign, without an insecure flag, accepts the result of an operator without a key, for whom it is and what it made, and nothing else", async () => {
  const verify = (file: string, subject: string, issuer: string, bundle = "bundle.json") => {
    const by = ["--certificate-identity", subject, "--certificate-oidc-issuer", issuer, "--trusted-root", pathOf("trusted_root.json")];
    const parameters = ["--bundle", pathOf(bundle), "--type", "slsaprovenance1", ...by, pathOf(file)];
    return forky.run("cosign", ["verify-blob-attestation", ...parameters], { env: { HOME: directory } });
  };
  const accepted = await verify("good.deb", ada.subject, ada.issuer);
  expect(accepted).toMatchObject({ code: 0, output: expect.stringContaining("Verified OK") });
  expect((await verify("other.deb", ada.subject, ada.issuer)).code).not.toBe(0);
  expect((await verify("good.deb", "https://git.example/eve/rebuilder", ada.issuer)).code).not.toBe(0);
  expect((await verify("good.deb", ada.subject, "https://other.example")).code).not.toBe(0);
  const text = await readFile(pathOf("bundle.json"), "utf8");
  for (const part of [
    /(?<="hashes":\[")[^"]+/,
    /(?<="canonicalizedBody":")[^"]+/,
    /(?<="signedTimestamp":")[^"]+/,
    /(?<=\\n\\n\u2014 \S+ )[^\\]+/,
  ]) {
    const altered = text.replace(part, flippedBit);
    expect(altered, String(part)).not.toBe(text);
    await writeFile(pathOf("altered.json"), altered);
    expect((await verify("good.deb", ada.subject, ada.issuer, "altered.json")).code, String(part)).not.toBe(0);
  }
});

import { createHash, generateKeyPairSync } from "node:crypto";
import { formatLinks } from "@quorate/attestation/in-toto-link";
import { createApi } from "@quorate/client/api";
import { createBlobs } from "@quorate/client/blobs";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import type { Byproduct } from "@quorate/protocol/result";
import { utf8 } from "@quorate/protocol/utf8";
import { type LinkSigner, linkSignerOf } from "@quorate/signing/link-key";
import type { TestNetwork } from "./network.fixture.ts";
import type { TestOperator } from "./test-operator.fixture.ts";

/** An operator with a hostname and a link key, whose results come with a build log and in-toto links. */
export type LinkingOperator = { readonly operator: TestOperator; readonly linkSigner: LinkSigner; work(lie?: string): Promise<void> };

export async function enrolLinkingOperator(network: TestNetwork, name: string): Promise<LinkingOperator> {
  const linkSigner = linkSignerOf(generateKeyPairSync("ed25519").privateKey);
  const linkKey = Buffer.from(linkSigner.publicKey).toString("base64");
  const operator = await network.enrol(name, { hostname: `${name.toLowerCase()}.rebuilders.test`, linkKey });
  const digestOf = (lie: string | undefined) => (published: Sha256) =>
    lie === undefined ? published : sha256Of(utf8(`${lie} ${published}`));
  const upload = async (ticket: string, kind: Byproduct["kind"], text: string): Promise<Byproduct> => {
    const content = utf8(text);
    const sha256 = sha256Of(content);
    await createBlobs({ url: network.url }).put({ sha256, content, ticket });
    return { kind, name: kind, sizeBytes: content.length, sha256, mediaType: "text/plain" };
  };
  return {
    operator,
    linkSigner,
    /** Does one job. Whoever lies builds other bytes, the same as all who tell this lie. */
    async work(lie) {
      const job = await operator.takeJob();
      const { artifacts } = await createApi({ url: network.url }).target(job.message.target);
      const links = artifacts.map(({ file, sha256 }) => {
        const sha512 = createHash("sha512").update(`512 of ${sha256}`).digest("hex");
        return linkSigner.sign({ product: { name: file, sha256: digestOf(lie)(sha256), sha512 } });
      });
      const byproducts = [
        await upload(job.message.uploadTicket, "build-log", `${name} builds\n`),
        await upload(job.message.uploadTicket, "in-toto-links", formatLinks(links)),
      ];
      await operator.do(job, { digestOf: digestOf(lie), change: { byproducts } });
    },
  };
}

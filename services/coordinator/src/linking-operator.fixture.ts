import { createHash, generateKeyPairSync } from "node:crypto";
import { formatLinks } from "@quorate/attestation/in-toto-link";
import { createApi } from "@quorate/client/api";
import { createBlobs } from "@quorate/client/blobs";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import type { Byproduct } from "@quorate/protocol/result";
import { utf8 } from "@quorate/protocol/utf8";
import { type LinkSigner, linkSignerOf } from "@quorate/signing/link-key";
import { enrolTestOperator, type TestOperator } from "./test-operator.fixture.ts";

/** An operator with a hostname and a link key, whose results come with a build log and in-toto links. */
export type LinkingOperator = AsyncDisposable & {
  readonly operator: TestOperator;
  readonly linkSigner: LinkSigner;
  /** Does one job. Whoever lies builds other bytes than those that were published. */
  work(lie?: (published: Sha256) => Sha256): Promise<void>;
};

export async function enrolLinkingOperator(at: { url: string; invitationToken: string; name: string }): Promise<LinkingOperator> {
  const { url, name } = at;
  const linkSigner = linkSignerOf(generateKeyPairSync("ed25519").privateKey);
  const linkKey = Buffer.from(linkSigner.publicKey).toString("base64");
  const operator = await enrolTestOperator({ ...at, change: { hostname: `${name.toLowerCase()}.rebuilders.test`, linkKey } });
  const upload = async (ticket: string, kind: Byproduct["kind"], text: string): Promise<Byproduct> => {
    const content = utf8(text);
    const sha256 = sha256Of(content);
    await createBlobs({ url }).put({ sha256, content, ticket });
    return { kind, name: kind, sizeBytes: content.length, sha256, mediaType: "text/plain" };
  };
  return {
    operator,
    linkSigner,
    async work(lie = (published) => published) {
      const job = await operator.takeJob();
      const { artifacts } = await createApi({ url }).target(job.message.target);
      const links = artifacts.map(({ file, sha256 }) => {
        const sha512 = createHash("sha512").update(`512 of ${sha256}`).digest("hex");
        return linkSigner.sign({ product: { name: file, sha256: lie(sha256), sha512 } });
      });
      const byproducts = [
        await upload(job.message.uploadTicket, "build-log", `${name} builds\n`),
        await upload(job.message.uploadTicket, "in-toto-links", formatLinks(links)),
      ];
      await operator.do(job, { digestOf: lie, change: { byproducts } });
    },
    [Symbol.asyncDispose]: () => operator[Symbol.asyncDispose](),
  };
}

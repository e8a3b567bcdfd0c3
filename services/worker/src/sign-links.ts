import type { LinkSigner } from "@quorate/signing/link-key";
import type { Built } from "./executor.ts";

/** One signed in-toto link for each package file that came out, in the order of the artifacts. */
export function signLinks({ artifacts, buildinfo }: Built, signer: LinkSigner): string[] {
  return artifacts.map((product) => signer.sign({ product, buildinfo }));
}

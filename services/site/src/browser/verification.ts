import "./interpreted-schemas.ts";
import { verifyP256Portable } from "@quorate/attestation/portable-p256";
import { parseSha256 } from "@quorate/protocol/digest";
import { verifyNoteSignaturePortable } from "@quorate/tlog/portable-note-verify";
import { parseProof } from "@quorate/verdict/proof";
import { claimedDigest } from "@quorate/verdict/standing";
import { parseTrustPolicy } from "@quorate/verdict/trust-policy";
import { type ProofClaim, type ProofStep, type VerifiedVerdict, verifyProof, verifyVerdict } from "@quorate/verdict/verify-proof";

/** What a page says of an artifact: all of it is compared with the evidence. */
export type PageClaim = {
  readonly file: string;
  readonly sha256: string;
  readonly outcome: string;
  readonly verdictIndex: string;
  readonly round: string;
  /** The digest that the page shows for an operator and a file. */
  readonly cells: readonly { readonly operator: string; readonly file: string; readonly sha256: string }[];
};

export type CheckStep = ProofStep | "page";

export type Check =
  | { readonly kind: "reproduced"; readonly names: readonly string[]; readonly witnesses: readonly string[] }
  | { readonly kind: "confirmed"; readonly outcome: string; readonly witnesses: readonly string[] }
  | { readonly kind: "contradicted"; readonly reason: string };

type Given = {
  readonly proof: string;
  /** The reader's own policy. */
  readonly policy: string;
  readonly page: PageClaim;
  readonly onVerified: (step: CheckStep) => void;
};

/**
 * Does in the browser what `quorate verify` does, with the same code, and compares what the page says with what the evidence says. The step
 * after the last that was verified is the one that does not hold.
 *
 * @throws ParseError for a policy that is none: that says nothing of the page
 */
export function checkPage({ proof: proofText, policy: policyText, page, onVerified }: Given): Check {
  const policy = parseTrustPolicy(policyText);
  try {
    const [proof, sha256] = [parseProof(proofText), parseSha256(page.sha256)];
    const claim = { proof, policy, verify: verifyP256Portable, verifyNoteSignature: verifyNoteSignaturePortable };
    const verified = verifyVerdict({ ...claim, onVerified });
    const difference = pageDifference(page, verified);
    if (difference !== undefined) return { kind: "contradicted", reason: `this page says something else than the evidence: ${difference}` };
    onVerified("page");
    const witnesses = verified.witnesses.map(({ name }) => name);
    if (page.outcome !== "reproduced") return { kind: "confirmed", outcome: page.outcome, witnesses };
    return { kind: "reproduced", names: namesOf({ ...claim, artifactSha256: sha256, artifactName: page.file }, onVerified), witnesses };
  } catch (error) {
    return { kind: "contradicted", reason: error instanceof Error ? error.message : String(error) };
  }
}

function namesOf(claim: ProofClaim, onVerified: (step: CheckStep) => void): string[] {
  const { operators } = verifyProof({ ...claim, onVerified });
  return operators.filter(({ counted }) => counted).map(({ name }) => name);
}

/** In what a page differs from the evidence, in words; undefined when in nothing. */
function pageDifference(page: PageClaim, { evidence, verdict, verdictIndex }: VerifiedVerdict): string | undefined {
  const expected = evidence.target.artifacts.find(({ file }) => file === page.file);
  if (expected === undefined) return `the evidence is about ${evidence.target.source}, which has no ${page.file}`;
  if (expected.sha256 !== page.sha256) return `${page.file} was published with the SHA-256 ${expected.sha256}`;
  const outcome = verdict.artifacts.find(({ file }) => file === page.file)?.outcome ?? verdict.outcome;
  if (outcome !== page.outcome) return `it shows ${page.outcome}, and the verdict is ${outcome}`;
  if (String(verdictIndex) !== page.verdictIndex)
    return `it names entry ${page.verdictIndex} as the verdict, which is in entry ${verdictIndex}`;
  if (verdict.round !== page.round) return "it shows the results of another round";
  return cellDifference(page, evidence);
}

function cellDifference({ cells }: PageClaim, { target, results }: VerifiedVerdict["evidence"]): string | undefined {
  const files = target.artifacts.map(({ file }) => file);
  const signed = results.flatMap(({ result }) =>
    files.flatMap((file) => {
      const sha256 = claimedDigest(result, file);
      return sha256 === undefined ? [] : [{ operator: result.operator, file, sha256 }];
    }),
  );
  const shown = new Map(cells.map(({ operator, file, sha256 }) => [`${operator} ${file}`, sha256]));
  const wrong = signed.find(({ operator, file, sha256 }) => shown.get(`${operator} ${file}`) !== sha256);
  if (wrong !== undefined)
    return `operator ${wrong.operator} signed ${wrong.sha256} for ${wrong.file}, and it shows ${shown.get(`${wrong.operator} ${wrong.file}`) ?? "nothing"}`;
  return shown.size > signed.length ? "it shows results that are not in the evidence" : undefined;
}

import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { type Deployment, deploymentSchema } from "@quorate/protocol/deployment";
import type { Sha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import { parseJsonBytes } from "./json-text.ts";
import { parseNoun } from "./parse-noun.ts";
import { type NamedDigest, formatPredicate, namedDigest, namedDigestSchema, statementSchema } from "./statement.ts";

export const deploymentType = "https://quorate.dev/deployment/v1";

const maxDeploymentBytes = 64 * 2 ** 20;

/** A statement of what an audit found; the subject is the root hash of the audited state. It is no entry of the log. */
export type DeploymentStatement = { readonly subject: NamedDigest; readonly deployment: Deployment };

/** The payload of an envelope that says it: canonical JSON of an in-toto statement (docs/predicates/deployment.md). */
export function formatDeployment(name: string, state: Sha256, deployment: Deployment): string {
  return formatCanonicalJson(formatPredicate(deploymentType, namedDigest(name, state), deployment));
}

/** The inverse of `formatDeployment`. @throws ParseError */
export function parseDeployment(payload: Uint8Array): DeploymentStatement {
  const { text, value } = parseJsonBytes("deployment statement", payload, maxDeploymentBytes);
  const statement = parseNoun(statementSchema, "deployment statement", value);
  const [first, ...more] = statement.subject;
  if (statement.predicateType !== deploymentType || more.length > 0)
    throw new ParseError("deployment statement about one subject", statement.predicateType);
  const subject = parseNoun(namedDigestSchema, "subject of a deployment statement", first);
  const deployment = parseNoun(deploymentSchema, "deployment predicate", statement.predicate);
  if (formatDeployment(subject.name, subject.digest.sha256, deployment) !== text)
    throw new ParseError("deployment statement in canonical JSON", text);
  return { subject, deployment };
}

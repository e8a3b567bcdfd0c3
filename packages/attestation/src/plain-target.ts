import { predicateTypes } from "@quorate/protocol/entry";
import type { Sha256 } from "@quorate/protocol/digest";
import { forms } from "@quorate/protocol/names";
import type { Target } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import type { Hasher } from "@quorate/tlog/merkle";
import { canonicalGrammar, listForm } from "./canonical-grammar.ts";
import type { LogStatement } from "./log-statement.ts";
import { count, sha256 } from "./plain-forms.ts";
import { statementType } from "./statement.ts";

/** As the schema has them; of the other lists no short text holds too many. */
const mostSuites = 10;
const mostIndices = 40;

/** No segment begins with a dot, and none is empty. */
const segment = "[A-Za-z0-9+~:%_-][A-Za-z0-9.+~:%_-]*";
const path = `(?=[^"]{1,400}")(?:${segment}/)*${segment}`;

const files = canonicalGrammar('{"name":"<name>","sha256":"<sha256>","sizeBytes":<sizeBytes>}', {
  name: forms.fileName,
  sha256,
  sizeBytes: count,
});
const artifacts = canonicalGrammar(
  '{"architecture":"<architecture>","file":"<file>","package":"<name>","path":"<path>","sha256":"<sha256>","sizeBytes":<sizeBytes>,' +
    '"version":"<version>"}',
  {
    architecture: forms.architecture,
    file: forms.fileName,
    name: forms.packageName,
    path,
    sha256,
    sizeBytes: count,
    version: forms.packageVersion,
  },
);
const indices = canonicalGrammar('{"path":"<path>","sha256":"<sha256>","sizeBytes":<sizeBytes>}', { path, sha256, sizeBytes: count });
const suites = canonicalGrammar('{"inReleaseSha256":"<sha256>","indices":[<indices>],"suite":"<suite>"}', {
  sha256,
  indices: listForm(indices, { empty: false }),
  suite: forms.suite,
});

const [start, end] = [
  `{"_type":"${statementType}","predicate":`,
  `,"predicateType":"${predicateTypes.target}","subject":[{"digest":{"sha256":"`,
];
const targets = canonicalGrammar(
  `${start}{"architecture":"<architecture>","artifacts":[<artifacts>],"component":"<component>","directory":"<directory>",` +
    `"distribution":"<distribution>","environment":{"expiredAllowed":<expiredAllowed>,"kind":"suite","suites":[<suites>]},"files":[<files>],` +
    `"source":"<source>","suite":"<suite>","version":"<version>"}${end}<subject>"},"name":"target"}]}`,
  {
    architecture: forms.architecture,
    artifacts: listForm(artifacts, { empty: false }),
    component: forms.component,
    directory: path,
    distribution: forms.distribution,
    expiredAllowed: "(?:true|false)",
    suites: listForm(suites, { empty: false }),
    files: listForm(files, { empty: false }),
    source: forms.packageName,
    suite: forms.suite,
    version: forms.packageVersion,
    subject: sha256,
  },
);

/** A target from its payload's text, if nothing in it is out of the ordinary, and its subject is the digest of what it says. */
export function readTarget(text: string, { digest }: Pick<Hasher, "digest">): LogStatement | undefined {
  const parts = targets.read(text);
  if (parts === undefined) return undefined;
  const said = text.slice(start.length, text.lastIndexOf(end));
  if (digest(utf8(said)) !== parts.subject) return undefined;
  const environment = readEnvironment(parts);
  if (environment === undefined) return undefined;
  const { architecture, component, directory, distribution, source, suite, version } = parts;
  const target: Target = {
    distribution,
    suite,
    component,
    source,
    version,
    architecture,
    directory,
    files: files.readItems(parts.files).map(withSize),
    artifacts: artifacts.readItems(parts.artifacts).map(({ name, ...artifact }) => ({ ...withSize(artifact), package: name })),
    environment,
  };
  return { kind: "target", target };
}

function readEnvironment(parts: { readonly expiredAllowed: string; readonly suites: string }): Target["environment"] | undefined {
  const pins = suites.readItems(parts.suites).map(({ sha256: digest, suite, ...pin }) => {
    return { suite, inReleaseSha256: digest as Sha256, indices: indices.readItems(pin.indices).map(withSize) };
  });
  const isBounded = pins.length <= mostSuites && pins.every((pin) => pin.indices.length <= mostIndices);
  return isBounded ? { kind: "suite", suites: pins, expiredAllowed: parts.expiredAllowed === "true" } : undefined;
}

function withSize<Parts extends { readonly sizeBytes: string; readonly sha256: string }>(parts: Parts) {
  return { ...parts, sizeBytes: Number(parts.sizeBytes), sha256: parts.sha256 as Sha256 };
}

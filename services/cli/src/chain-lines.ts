import type { Chain } from "@quorate/verdict/verify-proof";

/** The links from an artifact to whoever vouches for it, for people. */
export function chainLines(file: string, chain: Chain): string[] {
  const { artifact, target, verdict, verdictIndex, operators, checkpoint, witnesses } = chain;
  const counted = operators.filter((operator) => operator.counted);
  const others = operators.filter((operator) => !operator.counted);
  const width = Math.max(0, ...operators.map(({ name }) => name.length));
  return [
    `verified: ${file}`,
    `  artifact    ${artifact.file}, SHA-256 ${artifact.sha256}`,
    `  built from  ${target.distribution}/${target.suite} ${target.source} ${target.version} (${target.architecture})`,
    `  verdict     ${verdict.outcome}, decided ${verdict.decidedAt}`,
    `  results     ${counted.length} of the operators in your policy rebuilt it bit for bit:`,
    ...counted.map(({ name, id, index }) => `                ${name.padEnd(width)}  ${id}  log entry ${index}`),
    ...others.map(({ name, id, index }) => `                ${name.padEnd(width)}  ${id}  log entry ${index}, not counted`),
    `  log entry   ${verdictIndex} of ${checkpoint.origin}`,
    `  checkpoint  ${checkpoint.size} entries, root ${Buffer.from(checkpoint.root).toString("base64")}`,
    `  witnesses   ${witnesses.map(({ name, time }) => `${name} at ${timeOf(time)}`).join(", ")}`,
  ];
}

export function chainJson({ artifact, target, verdict, verdictIndex, operators, checkpoint, witnesses }: Chain) {
  const { distribution, suite, source, version, architecture } = target;
  return {
    artifact,
    target: { digest: verdict.target, distribution, suite, source, version, architecture },
    verdict,
    verdictIndex,
    operators,
    checkpoint: { origin: checkpoint.origin, size: checkpoint.size, root: Buffer.from(checkpoint.root).toString("base64") },
    witnesses: witnesses.map(({ name, time }) => ({ name, time: timeOf(time) })),
  };
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

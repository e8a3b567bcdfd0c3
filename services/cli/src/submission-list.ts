import type { SubmissionRequest } from "@quorate/protocol/submission";
import { CommandError } from "./command-error.ts";
import { parseSubmission } from "./commands/submit.ts";

const maxLines = 200_000;

/**
 * What to submit, one a line and each once; empty lines and those that begin with `#` are comments.
 *
 *     debian/bookworm mailgraph
 *     debian/bookworm hello 2.10-3 amd64
 *
 * @throws CommandError that names the file and the line
 */
export function parseSubmissionList(text: string, file: string): SubmissionRequest[] {
  const lines = text.split("\n");
  if (lines.length > maxLines) throw new CommandError(`reading ${file}: it has more than ${maxLines} lines; split it`);
  const requests = lines.flatMap((line, position) => {
    const [suite, source, version, arch, ...more] = line.trim().split(/\s+/);
    if (suite === undefined || suite === "" || suite.startsWith("#")) return [];
    const where = `reading line ${position + 1} of ${file}`;
    if (source === undefined || more.length > 0)
      throw new CommandError(`${where}: it is not DISTRIBUTION/SUITE PACKAGE [VERSION [ARCHITECTURE]]`);
    try {
      return [parseSubmission(suite, source, { version, arch })];
    } catch (cause) {
      if (cause instanceof CommandError) throw new CommandError(`${where}: ${cause.message}`, { cause });
      throw cause;
    }
  });
  if (requests.length === 0)
    throw new CommandError(`reading ${file}: it names nothing to submit; a line is such as: debian/bookworm mailgraph`);
  return [...new Map(requests.map((request) => [JSON.stringify(request), request])).values()];
}

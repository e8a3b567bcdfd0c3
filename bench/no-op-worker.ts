import { hash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256Of } from "@quorate/protocol/digest";
import { environmentPinDigestOf } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import { runService } from "@quorate/service/run";
import { parseWorkerConfig } from "@quorate/worker/config";
import type { BuildOutcome, BuildRequest, Executor } from "@quorate/worker/executor";
import { startWorker } from "@quorate/worker/start";

const buildLog = utf8("nothing was built\n");
const sha512 = hash("sha512", "nothing was built");
/** As many intermediate files as a trace needs to count. */
const trace = Array.from({ length: 8 }, (_, number) => ({ path: `main-${number}.o`, sizeBytes: 3, sha256: sha256Of(utf8(`${number}`)) }));

/** A worker that is real but for its executor, which says at once that it has built exactly what was published. */
const executor: Executor = { build: reportPublished };

await runService("worker", async ({ env, logger, signal, fail }) => {
  const { worker } = parseWorkerConfig(env);
  return await startWorker({ config: worker, openExecutor: () => executor, logger, signal, fail });
});

async function reportPublished({ target, workDirectory }: BuildRequest): Promise<BuildOutcome> {
  const path = join(workDirectory, "build.log");
  await writeFile(path, buildLog);
  return {
    kind: "built",
    builderVersion: { executor: "no-op" },
    sandboxProfile: "none",
    // Nothing looks at what their SHA-512 says: only the links carry it.
    artifacts: target.artifacts.map(({ file: name, sizeBytes, sha256 }) => ({
      name,
      path: join(workDirectory, name),
      sizeBytes,
      sha256,
      sha512,
    })),
    sources: target.files.map(({ name, sha256 }) => ({ name, sha256 })),
    trace,
    buildLog: { name: "build.log", path, sizeBytes: buildLog.length, sha256: sha256Of(buildLog) },
    lock: { environment: environmentPinDigestOf(target.environment), packages: [] },
    manifests: target.artifacts.map(({ file }) => ({ file, text: "a manifest\n" })),
  };
}

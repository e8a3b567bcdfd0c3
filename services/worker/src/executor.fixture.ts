import { environmentPinDigestOf } from "@quorate/protocol/target";
import { sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { hash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BuildOutcome, BuildRequest, Executor, LinkedLocalFile } from "./executor.ts";

const builder = { builderVersion: { kernel: "6.12.0", dpkg: "1.21.22" }, sandboxProfile: "none" };

/** A file of an outcome, written where a build would have left it. */
export async function writeOutput({ workDirectory }: BuildRequest, name: string, text: string): Promise<LinkedLocalFile> {
  const path = join(workDirectory, name);
  await writeFile(path, text);
  return { name, path, sizeBytes: utf8(text).length, sha256: sha256Of(utf8(text)), sha512: hash("sha512", text) };
}

export async function builtOutcome(request: BuildRequest): Promise<BuildOutcome> {
  const artifact = await writeOutput(request, "mailgraph_1.14-20_all.deb", "a package");
  return {
    kind: "built",
    ...builder,
    artifacts: [artifact],
    sources: [{ name: "mailgraph_1.14-20.dsc", sha256: sha256Of(utf8("dsc")) }],
    trace: [{ path: "main.o", sizeBytes: 3, sha256: sha256Of(utf8("obj")) }],
    buildLog: await writeOutput(request, "build.log", "gcc -c main.c\n"),
    buildinfo: await writeOutput(request, "mailgraph.buildinfo", "Format: 1.0\n"),
    lock: { environment: environmentPinDigestOf(request.target.environment), packages: [] },
    manifests: [{ file: artifact.name, text: "a manifest\n" }],
  };
}

export function failingOutcome(reason: "build-failed" | "timeout" = "build-failed"): BuildOutcome {
  return { kind: "failed", ...builder, failure: { reason, step: "build", message: "make: *** [all] Error 1" } };
}

/** Builds everything at once, and counts. */
export function createInstantExecutor(outcome: (request: BuildRequest) => BuildOutcome | Promise<BuildOutcome> = builtOutcome): Executor & {
  readonly builds: number;
} {
  const state = { builds: 0 };
  return {
    get builds() {
      return state.builds;
    },
    build: async (request, report) => {
      state.builds++;
      report({ phase: "building", activity: "compiling", logLines: ["gcc -c main.c"] });
      return await outcome(request);
    },
  };
}

/** Builds until it is aborted. `started` resolves when it has begun. */
export function createEndlessExecutor(): Executor & { readonly started: Promise<void> } {
  const started = Promise.withResolvers<void>();
  return {
    started: started.promise,
    build: async (_request, _report, signal) => {
      started.resolve();
      if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      throw new Error("aborted");
    },
  };
}

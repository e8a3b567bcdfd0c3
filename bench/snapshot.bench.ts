import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadBlobFile } from "@quorate/client/blob-directory";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { verifyP256 } from "@quorate/signing/p256-key";
import { verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { parseTrustPolicy } from "@quorate/verdict/trust-policy";
import { runSync } from "../services/cli/src/commands/sync.ts";
import { gatePackages, hashPackageFiles } from "../services/cli/src/gate-packages.ts";
import { openSnapshot } from "../services/cli/src/host-snapshot.ts";
import { readVerdicts } from "../services/cli/src/read-verdicts.ts";
import { recordingContext } from "../services/cli/src/recording-terminal.fixture.ts";
import { bareVerificationsPerSecond } from "./bare-verifications.ts";
import { type Figure, percentile } from "./figure.ts";
import { generateLog } from "./generate-log.ts";
import { fastest, feed } from "./timing.ts";

const quorate = fileURLToPath(new URL("../services/cli/src/main.ts", import.meta.url));
/** Of 400 rounds, each of a target with two packages. */
const entries = 4_800;
const gated = 100;
const fileBytes = 100_000;
/** The generated log's witnesses cosign in 1970. */
const anyAge = 9_999_999_999;
const explanations = 11;

/** What a host does with verdicts, of a generated log on this machine's disk: checking them, the gate, and explaining one package. */
export async function measure(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), "quorate-bench-"));
  try {
    const { signatures } = generateLog(directory, entries);
    const into = join(directory, "snapshot");
    return [await measureReading(directory, signatures), await measureGate(directory, into), await measureExplaining(into)];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measureReading(directory: string, signatures: number): Promise<Figure> {
  const policy = parseTrustPolicy(await readFile(join(directory, "policy")));
  const log = join(directory, "log/public");
  const note = await readFile(join(log, "checkpoint"), "utf8");
  let packages = 0;
  const seconds = await fastest(async () => {
    const { checkpoint } = verifyCosignedCheckpoint(note, policy.witnessPolicy, verifyNoteSignature);
    const read = await readVerdicts({
      log,
      checkpoint,
      policy,
      from: { size: 0, carried: [], artifacts: [] },
      verify: verifyP256,
      loadBlob: (sha256) => loadBlobFile(join(directory, "coordinator/blobs"), sha256),
      onEntry: () => {},
      signal: new AbortController().signal,
    });
    packages = read.artifacts.length;
  });
  const bareSeconds = signatures / (await bareVerificationsPerSecond());
  const reference = `its ${signatures} ECDSA P-256 signatures, bare, on all processors: ${bareSeconds.toFixed(2)} s`;
  return { name: `check the verdicts on ${packages} packages`, value: seconds, unit: "s", ratio: bareSeconds / seconds, reference };
}

async function measureGate(directory: string, into: string): Promise<Figure> {
  const options = { data: directory, log: join(directory, "log/public"), policy: join(directory, "policy"), into, freshness: anyAge };
  await runSync(undefined, options, recordingContext());
  const debs = join(directory, "debs");
  await mkdir(debs);
  const files = Array.from({ length: gated }, (_, at) => {
    return { path: join(debs, `package-${at}_1.0-1_amd64.deb`), package: `package-${at}`, version: "1.0-1", architecture: "amd64" };
  });
  for (const { path } of files) await writeFile(path, randomBytes(fileBytes));
  const seconds = await fastest(async () => {
    const snapshot = await openSnapshot({ snapshot: into, freshness: anyAge });
    gatePackages(await hashPackageFiles(files, new AbortController().signal), { snapshot, exceptions: [] });
  });
  const sumSeconds = await fastest(() =>
    feed(
      "sha256sum",
      files.map(({ path }) => path),
      "",
    ),
  );
  const name = `the gate on ${gated} packages of ${fileBytes / 1000} kB`;
  const reference = `sha256sum of the files: ${(sumSeconds * 1000).toFixed(0)} ms`;
  return { name, value: seconds * 1000, unit: "ms", ratio: sumSeconds / seconds, reference };
}

async function measureExplaining(into: string): Promise<Figure> {
  const list = (await readdir(into)).find((name) => name.startsWith("artifacts-")) ?? "";
  const sha256 = (await readFile(join(into, list), "utf8")).split(" ", 4).at(-1) ?? "";
  const medianOf = (words: readonly string[]): number => {
    const times = Array.from({ length: explanations }, () => {
      const startedAt = performance.now();
      spawnSync(process.execPath, words, { stdio: "ignore" });
      return performance.now() - startedAt;
    });
    return percentile(times, 0.5);
  };
  const value = medianOf([quorate, "explain", sha256, "--snapshot", into]);
  const bare = medianOf(["-e", "0"]);
  const name = "quorate explain, process start included, median";
  return { name, value, unit: "ms", ratio: bare / value, reference: `node -e 0: ${bare.toFixed(0)} ms` };
}

import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256Of } from "@quorate/protocol/digest";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import type { EnvironmentPin } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import { BuildFailure } from "./build-failure.ts";
import { openPinnedArchive, type PinnedArchiveOptions, formatSourcesList } from "./pinned-archive.ts";
import { openSandbox } from "./sandbox.ts";
import { builderId, sandboxHostName } from "./sandbox-script.ts";
import { type Tree, type TreeStore, removeTree } from "./tree-store.ts";

/** Part of a base's identity: changes whenever what is done here changes the tree that comes out. */
const recipe = 1;

export const buildParent = "/build/reproducible-path";

/** The identity of a base: what it is made from, which is the pinned packages of an architecture, and how. */
export function baseIdOf(pin: EnvironmentPin, architecture: string): string {
  const suites = pin.suites.map(({ suite, inReleaseSha256, indices }) => {
    const packages = indices.filter(({ path }) => path.endsWith("/Packages"));
    return { suite, inReleaseSha256, packages: packages.map(({ path, sha256 }) => ({ path, sha256 })) };
  });
  return sha256Of(utf8(formatCanonicalJson({ recipe, architecture, suites })));
}

export type BaseRequest = PinnedArchiveOptions & {
  architecture: string;
  onOutput(chunk: Buffer): void;
};

/** A minimal system with a compiler, as the distribution's builders start from. Made once for a pinned state, in about 25 s. */
export async function obtainBase(bases: TreeStore, request: BaseRequest): Promise<Tree> {
  return await bases.obtain(baseIdOf(request.environment.pin, request.architecture), (part) => makeBase(part, request));
}

async function makeBase(part: string, request: BaseRequest): Promise<void> {
  const { dataDirectory, environment, architecture, signal } = request;
  const target = join(dataDirectory, part);
  const sources = `${target}.list`;
  await using archive = await openPinnedArchive(request);
  await using sandbox = await openSandbox({
    directory: dataDirectory,
    root: { kind: "host" },
    forwarder: archive.forwarder,
    onOutput: request.onOutput,
    signal,
  });
  await writeFile(sources, formatSourcesList(environment, architecture));
  await using _ = { [Symbol.asyncDispose]: () => removeTree(sources) };
  const words = mmdebstrapCommand({ suite: environment.suites[0]?.suite ?? "", architecture, target, sources });
  const status = await sandbox.run({
    words,
    user: "host-root",
    workingDirectory: "/",
    environment: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8", TMPDIR: dataDirectory, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (status !== 0) {
    const reason = archive.failure instanceof Error ? archive.failure.message : `mmdebstrap ended with status ${status}`;
    const message = `making the base system from the pinned archive: ${reason}`;
    throw new BuildFailure("environment-unavailable", { step: "base", message }, { cause: archive.failure });
  }
  await finishBase(target);
}

function mmdebstrapCommand({ suite, architecture, target, sources }: Record<"suite" | "architecture" | "target" | "sources", string>) {
  const apt = [
    'Acquire::Languages "none"',
    // The worker has checked freshness itself, and at another moment apt may see it otherwise.
    'Acquire::Check-Valid-Until "false"',
    'APT::Install-Recommends "false"',
    'APT::Get::Assume-Yes "true"',
    'Acquire::http::Proxy "false"',
  ];
  return [
    "mmdebstrap",
    "--mode=root",
    "--format=directory",
    "--variant=buildd",
    // apt by name: that it is required is what an archive overrides, not what the package says of itself.
    "--include=apt,fakeroot",
    `--architectures=${architecture}`,
    ...apt.map((option) => `--aptopt=${option}`),
    // The whole tree is brought to the disk at once, before it gets its name.
    "--dpkgopt=force-unsafe-io",
    // The lists are the pinned state, from which layers resolve.
    "--skip=cleanup/apt/lists",
    suite,
    target,
    sources,
  ];
}

/** What would tell one host's base from another's, and what builders expect. */
async function finishBase(root: string): Promise<void> {
  const append = { flag: "a" };
  await writeFile(join(root, "etc/hostname"), `${sandboxHostName}\n`);
  await writeFile(join(root, "etc/hosts"), `127.0.0.1 localhost ${sandboxHostName}\n::1 localhost ${sandboxHostName}\n`);
  await removeTree(join(root, "etc/resolv.conf"));
  await writeFile(join(root, "etc/resolv.conf"), "");
  await writeFile(join(root, "etc/machine-id"), "");
  await writeFile(join(root, "etc/passwd"), `builder:x:${builderId}:${builderId}::/sbuild-nonexistent:/bin/sh\n`, append);
  await writeFile(join(root, "etc/group"), `builder:x:${builderId}:\n`, append);
  await writeFile(join(root, "etc/shadow"), `builder:!:19000::::::\n`, append);
  await writeFile(join(root, "etc/gshadow"), `builder:!::\n`, append);
  await writeFile(join(root, "usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  await mkdir(join(root, buildParent), { recursive: true });
  // Only this directory: what stands above it cannot be moved away by a build.
  await chown(join(root, buildParent), builderId, builderId);
}

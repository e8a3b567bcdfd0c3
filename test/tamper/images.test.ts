import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type Pack, pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ReproducedPackages, audit, createRoot, installDebs } from "../audited-host.ts";
import { buildSmallDeb } from "../small-deb.ts";

const run = promisify(execFile);

let directory = "";
let network: ReproducedPackages;
const root = () => join(directory, "root");
const snapshot = () => join(directory, "snapshot");

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-images-"));
  network = await ReproducedPackages.start(directory);
  const tool = await buildSmallDeb(directory, {
    name: "tool",
    files: { "bin/tool": "tool\n", "usr/share/doc/tool/README": "read me\n", [`usr/lib/tool/${"long/".repeat(40)}é`]: "long\n" },
  });
  await network.reproduce(tool);
  await network.publish();
  await network.sync(snapshot());
  await createRoot(root());
  await installDebs(root(), [tool]);
});
afterAll(async () => {
  await network?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** A tar of what is below a directory. */
async function tarOf(below: string, options: readonly string[] = []): Promise<Buffer> {
  const { stdout } = await run("tar", [...options, "-C", below, "--numeric-owner", "-c", "."], { encoding: "buffer", maxBuffer: 1 << 26 });
  return stdout;
}

/** A layer that has these members; a whiteout is a file whose name says so. */
async function layer(fill: (tar: Pack) => void): Promise<Buffer> {
  const tar = pack();
  fill(tar);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A directory in the OCI image layout. */
async function layoutOf(layers: readonly Uint8Array[], changeManifest: (manifest: object) => object = (same) => same): Promise<string> {
  const layout = await mkdtemp(join(directory, "layout-"));
  await mkdir(join(layout, "blobs/sha256"), { recursive: true });
  const put = async (bytes: Uint8Array) => {
    await writeFile(join(layout, "blobs/sha256", sha256(bytes)), bytes);
    return { digest: `sha256:${sha256(bytes)}`, size: bytes.length, mediaType: "application/octet-stream" };
  };
  const manifest = { schemaVersion: 2, layers: await Promise.all(layers.map(put)) };
  const described = await put(Buffer.from(JSON.stringify(changeManifest(manifest))));
  await writeFile(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [described] }));
  return layout;
}

/** A tar as `docker save` writes it. */
async function dockerSave(layers: readonly Uint8Array[]): Promise<string> {
  const saved = await mkdtemp(join(directory, "saved-"));
  const config = { rootfs: { type: "layers", diff_ids: layers.map((bytes) => `sha256:${sha256(bytes)}`) } };
  await writeFile(join(saved, "config.json"), JSON.stringify(config));
  for (const [at, bytes] of layers.entries()) {
    await mkdir(join(saved, String(at)));
    await writeFile(join(saved, `${at}/layer.tar`), bytes);
  }
  await writeFile(
    join(saved, "manifest.json"),
    JSON.stringify([{ Config: "config.json", Layers: layers.map((_, at) => `${at}/layer.tar`) }]),
  );
  await writeFile(`${saved}.tar`, await tarOf(saved));
  return `${saved}.tar`;
}

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(await mkdtemp(join(directory, "tar-")), "root.tar");
  await writeFile(path, bytes);
  return path;
}

const found = ({ findings }: Awaited<ReturnType<typeof audit>>) => findings.map((finding) => `${finding.class} ${finding.path}`);
const clean = { code: 0, outcome: "clean", findings: [] };

describe("what nobody tampered with is clean, however it is packed", () => {
  test.each([["gnu"], ["posix"]])("a tar in the %s format, plain and compressed", async (format) => {
    const tar = await tarOf(root(), [`--format=${format}`]);
    for (const bytes of [tar, gzipSync(tar), zstdCompressSync(tar)]) {
      expect(await audit({ tar: await fileOf(bytes) }, snapshot())).toMatchObject(clean);
    }
  });

  test("an image in the OCI layout, as a directory and as a tar, its layers compressed with gzip, zstd or not at all", async () => {
    const tar = await tarOf(root());
    const empty = await layer(() => {});
    for (const bytes of [tar, gzipSync(tar), zstdCompressSync(tar)]) {
      const layout = await layoutOf([bytes, empty]);
      expect(await audit({ oci: layout }, snapshot())).toMatchObject(clean);
      expect(await audit({ oci: await fileOf(await tarOf(layout)) }, snapshot())).toMatchObject(clean);
    }
  });

  test("what docker save writes", async () => {
    expect(await audit({ oci: await dockerSave([await tarOf(root())]) }, snapshot())).toMatchObject(clean);
  });

  test("an image without dpkg, with a file a package", async () => {
    const distroless = join(await mkdtemp(join(directory, "distroless-")), "root");
    await cp(root(), distroless, { recursive: true, verbatimSymlinks: true });
    await rm(join(distroless, "var/lib/dpkg"), { recursive: true });
    await mkdir(join(distroless, "var/lib/dpkg/status.d"), { recursive: true });
    await writeFile(join(distroless, "var/lib/dpkg/status.d/tool"), "Package: tool\nVersion: 1.0\nArchitecture: all\n");
    const answer = await audit({ tar: await fileOf(await tarOf(distroless)) }, snapshot());
    expect(answer).toMatchObject({ ...clean, packages: [{ package: "tool" }] });
  });
});

describe("layers", () => {
  const audited = async (...above: Buffer[]) => await audit({ oci: await layoutOf([await tarOf(root()), ...above]) }, snapshot());

  test.each<[string, (tar: Pack) => void, string]>([
    ["a layer changes a program", (tar) => tar.entry({ name: "usr/bin/tool", mode: 0o755 }, "evil\n"), "modified usr/bin/tool"],
    ["a layer changes a program behind a link", (tar) => tar.entry({ name: "bin/tool", mode: 0o755 }, "evil\n"), "modified usr/bin/tool"],
    ["a layer adds a program", (tar) => tar.entry({ name: "usr/bin/evil" }, "evil\n"), "unowned usr/bin/evil"],
    [
      "a layer gives a program a set-id bit",
      (tar) => tar.entry({ name: "usr/bin/tool", mode: 0o4755 }, "tool\n"),
      "setuid-added usr/bin/tool",
    ],
    ["a whiteout takes a program away", (tar) => tar.entry({ name: "usr/bin/.wh.tool" }, ""), "missing usr/bin/tool"],
    ["a whiteout takes a directory away", (tar) => tar.entry({ name: "usr/share/doc/.wh.tool" }, ""), "missing usr/share/doc/tool/README"],
    ["a directory is made opaque", (tar) => tar.entry({ name: "usr/bin/.wh..wh..opq" }, ""), "missing usr/bin/tool"],
    [
      "a directory is replaced by a link",
      (tar) => tar.entry({ name: "usr/share/doc", type: "symlink", linkname: "/tmp" }),
      "replaced usr/share/doc",
    ],
  ])("%s", async (_what, fill, finding) => {
    expect(found(await audited(await layer(fill)))).toContain(finding);
  });

  test("whiteouts take away what is below, never what their own layer has, in whichever order", async () => {
    const again = (tar: Pack) => tar.entry({ name: "usr/bin/tool", mode: 0o755 }, "tool\n");
    const hidden = (tar: Pack) => tar.entry({ name: "usr/bin/.wh..wh..opq" }, "");
    expect(await audited(await layer((tar) => void [again(tar), hidden(tar)]))).toMatchObject(clean);
    expect(await audited(await layer((tar) => void [hidden(tar), again(tar)]))).toMatchObject(clean);
    const evil = await layer((tar) => void tar.entry({ name: "usr/bin/evil" }, "evil\n"));
    expect(await audited(evil, await layer((tar) => void tar.entry({ name: "usr/bin/.wh.evil" }, "")))).toMatchObject(clean);
  });
});

describe("what unpackers would not agree on, or what is damaged, is refused: exit code 3", () => {
  const hostile: [string, RegExp, (tar: Pack) => void][] = [
    ["a path out of the root", /leads out of the root/, (tar) => tar.entry({ name: "../evil" }, "evil")],
    ["a path that goes up within", /leads out of the root/, (tar) => tar.entry({ name: "usr/../../evil" }, "evil")],
    [
      "a hard link out of the root",
      /leads out of the root/,
      (tar) => tar.entry({ name: "evil", type: "link", linkname: "../../etc/shadow" }),
    ],
    ["a hard link to nothing", /which is no file before it/, (tar) => tar.entry({ name: "evil", type: "link", linkname: "nothing" })],
    ["a member twice", /is in it twice/, (tar) => void [tar.entry({ name: "evil" }, "one"), tar.entry({ name: "evil" }, "two")]],
    [
      "a member below a file",
      /below evil, which is a file/,
      (tar) => void [tar.entry({ name: "evil" }, "1"), tar.entry({ name: "evil/two" }, "2")],
    ],
    ["a sparse file", /a sparse file, which is not read/, (tar) => tar.entry({ name: "evil", pax: { "GNU.sparse.major": "1" } }, "sparse")],
    ["a header of megabytes", /exceeds max size/, (tar) => tar.entry({ name: "evil", pax: { comment: "x".repeat(5 * 2 ** 20) } }, "evil")],
  ];
  const refusal = (reason: RegExp) => ({ exitCode: 3, message: expect.stringMatching(reason) as unknown });

  test.each(hostile)("%s", async (_what, reason, fill) => {
    const bytes = await layer(fill);
    await expect(audit({ tar: await fileOf(bytes) }, snapshot())).rejects.toMatchObject(refusal(reason));
    await expect(audit({ oci: await layoutOf([await tarOf(root()), bytes]) }, snapshot())).rejects.toMatchObject(refusal(reason));
  });

  test("a link that leads out of the root is followed within it", async () => {
    const link = await layer(
      (tar) => void [tar.entry({ name: "up", type: "symlink", linkname: "../../../usr" }), tar.entry({ name: "up/bin/evil" }, "evil")],
    );
    expect(found(await audit({ oci: await layoutOf([await tarOf(root()), link]) }, snapshot()))).toEqual(["unowned usr/bin/evil"]);
  });

  test.each([100, 700, 5000])("a tar that is cut off after %d bytes, plain or compressed", async (length) => {
    const tar = await tarOf(root());
    for (const bytes of [tar, gzipSync(tar), zstdCompressSync(tar)]) {
      const path = await fileOf(bytes);
      await truncate(path, Math.min(length, bytes.length - 50));
      await expect(audit({ tar: path }, snapshot())).rejects.toMatchObject(refusal(/unexpected end/i));
    }
  });

  test("an image in which one byte of a layer is another", async () => {
    const tar = await tarOf(root());
    const layout = await layoutOf([tar]);
    const changed = (bytes: Buffer) => Buffer.from(bytes.toString("latin1").replace("tool\n\0", "t0ol\n\0"), "latin1");
    await writeFile(join(layout, "blobs/sha256", sha256(tar)), changed(tar));
    await expect(audit({ oci: layout }, snapshot())).rejects.toMatchObject(refusal(/its digest is/));
    const saved = await dockerSave([tar]);
    await expect(audit({ oci: await fileOf(changed(await readFile(saved))) }, snapshot())).rejects.toMatchObject(refusal(/its digest is/));
  });

  test.each<[string, RegExp, (layout: string) => Promise<unknown>]>([
    ["without an index", /neither index\.json/, (layout) => rm(join(layout, "index.json"))],
    ["whose index is malformed", /index\.json .* malformed/, (layout) => writeFile(join(layout, "index.json"), "{}")],
    ["without its manifest", /is missing/, (layout) => rm(join(layout, "blobs"), { recursive: true })],
    ["of several images", /one for linux\/.* is needed/, (layout) => severalImages(layout)],
  ])("an image %s", async (_what, reason, change) => {
    const layout = await layoutOf([await tarOf(root())]);
    await change(layout);
    await expect(audit({ oci: layout }, snapshot())).rejects.toMatchObject(refusal(reason));
  });

  test("a file that is no archive, and a system that is not Debian's", async () => {
    const noDebian = await fileOf(await layer((tar) => void tar.entry({ name: "bin/sh" }, "sh")));
    await expect(audit({ tar: await fileOf(Buffer.from("no tar")) }, snapshot())).rejects.toMatchObject(refusal(/unexpected end/i));
    await expect(audit({ tar: noDebian }, snapshot())).rejects.toMatchObject(refusal(/is it a Debian system/));
    await expect(audit({ tar: join(directory, "none.tar") }, snapshot())).rejects.toMatchObject(refusal(/ENOENT/));
  });
});

async function severalImages(layout: string): Promise<void> {
  const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8"));
  await writeFile(join(layout, "index.json"), JSON.stringify({ ...index, manifests: [...index.manifests, ...index.manifests] }));
}

import { hash } from "node:crypto";
import { type Sha256, parseSha256, sha256Schema } from "@quorate/protocol/digest";
import { z } from "zod";
import type { ImageFiles } from "./image-files.ts";

/** One layer, the lowest first. The digest is of the file as it is stored (OCI), or of the tar in it (docker save). */
export type ImageLayer = { readonly path: string; readonly sha256: Sha256; readonly digestOf: "file" | "tar" };

const digestSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => sha256Schema.parse(text.slice("sha256:".length)));
const descriptorSchema = z.object({
  mediaType: z.string().optional(),
  digest: digestSchema,
  platform: z.object({ architecture: z.string(), os: z.string() }).optional(),
});
const indexSchema = z.object({ manifests: z.array(descriptorSchema).max(1000) });
const manifestSchema = z.object({ layers: z.array(descriptorSchema).max(1000) });
const dockerSchema = z.array(z.object({ Config: z.string(), Layers: z.array(z.string()).max(1000) })).length(1);
const configSchema = z.object({ rootfs: z.object({ diff_ids: z.array(digestSchema).max(1000) }) });

type Descriptor = z.infer<typeof descriptorSchema>;

/**
 * The layers of the one image in an OCI image layout (OCI image-spec, image-layout) or in what `docker save` writes. Of an image for several
 * platforms it is the one for this machine's.
 *
 * @throws Error for what is neither, or holds several images
 */
export async function findLayers(files: ImageFiles, architecture: string): Promise<ImageLayer[]> {
  const index = await files.read("index.json");
  if (index !== undefined) return await layoutLayers(files, parseDocument("index.json", index, indexSchema).manifests, architecture);
  const manifest = await files.read("manifest.json");
  if (manifest !== undefined) return await dockerLayers(files, manifest);
  throw new Error("reading an image: it has neither index.json (OCI image layout) nor manifest.json (docker save)");
}

async function layoutLayers(files: ImageFiles, manifests: readonly Descriptor[], architecture: string): Promise<ImageLayer[]> {
  const chosen = chooseManifest(manifests, architecture);
  const path = blobPath(chosen.digest);
  const bytes = await files.read(path);
  if (bytes === undefined) throw new Error(`reading an image: ${path} is missing`);
  verifyDigest(path, bytes, chosen.digest);
  if (/(?:image\.index|manifest\.list)\.v\d\+json$/.test(chosen.mediaType ?? "")) {
    return await layoutLayers(files, parseDocument(path, bytes, indexSchema).manifests, architecture);
  }
  const { layers } = parseDocument(path, bytes, manifestSchema);
  return layers.map(({ digest }) => ({ path: blobPath(digest), sha256: digest, digestOf: "file" }));
}

function chooseManifest(manifests: readonly Descriptor[], architecture: string): Descriptor {
  // A build's attestations are listed beside its image, for the platform "unknown".
  const images = manifests.filter(({ platform }) => platform?.os !== "unknown");
  const fitting =
    images.length === 1 ? images : images.filter(({ platform }) => platform?.architecture === architecture && platform.os === "linux");
  const [chosen] = fitting;
  if (chosen !== undefined && fitting.length === 1) return chosen;
  const found = images.map(({ digest, platform }) => `${digest} (${platform?.os ?? "any"}/${platform?.architecture ?? "any"})`).join(", ");
  throw new Error(`reading an image: one for linux/${architecture} is needed, and there are ${found || "none"}`);
}

async function dockerLayers(files: ImageFiles, manifest: Buffer): Promise<ImageLayer[]> {
  const [image] = parseDocument("manifest.json", manifest, dockerSchema);
  const config = image && (await files.read(image.Config));
  if (image === undefined || config === undefined) throw new Error("reading an image: its configuration is missing");
  const { diff_ids: digests } = parseDocument(image.Config, config, configSchema).rootfs;
  if (digests.length !== image.Layers.length) throw new Error("reading an image: its configuration has another number of layers");
  return image.Layers.map((path, at) => ({ path, sha256: parseSha256(digests[at] ?? ""), digestOf: "tar" }));
}

const blobPath = (sha256: Sha256): string => `blobs/sha256/${sha256}`;

function verifyDigest(path: string, bytes: Buffer, expected: Sha256): void {
  const actual = hash("sha256", bytes);
  if (actual !== expected) throw new Error(`reading an image: ${path} has digest ${actual}`);
}

function parseDocument<Schema extends z.ZodType>(path: string, bytes: Buffer, schema: Schema): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(bytes.toString()));
  } catch (cause) {
    throw new Error(`reading ${path} of an image: it is malformed`, { cause });
  }
}

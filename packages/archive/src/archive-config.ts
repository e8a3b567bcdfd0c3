import { architectureSchema, componentSchema, distributionSchema, suiteSchema } from "@quorate/protocol/names";
import { z } from "zod";

/** The archive's root, without a trailing slash (some mirrors refuse `//`). */
const archiveUrlSchema = z
  .url({ protocol: /^(?:https?|file)$/, error: "must be an http, https or file URL" })
  .transform((url) => url.replace(/\/+$/, ""));

/** One archive that targets may come from. */
export const archiveSchema = z
  .strictObject({
    distribution: distributionSchema,
    url: archiveUrlSchema,
    components: z.array(componentSchema).min(1).max(10).default(["main"]),
    /** Machine architectures that targets are resolved for; sources of architecture `all` are built on the first. */
    architectures: z.array(architectureSchema).min(1).max(10).default(["amd64"]),
    /** Files of OpenPGP keys, binary or armoured, one of which must have signed a suite's InRelease. */
    keyrings: z.array(z.string().min(1)).min(1).max(40),
    /** By suite, the suites that its build environment resolves from; itself alone when not listed. */
    environments: z.record(suiteSchema, z.array(suiteSchema).min(1).max(10)).default({}),
    /** Take a suite past its Valid-Until, and say so in the environment pin. */
    allowExpired: z.boolean().default(false),
  })
  .refine(
    ({ environments }) => Object.entries(environments).every(([suite, suites]) => suites.includes(suite)),
    "each suite's environment must include the suite itself",
  );
export type Archive = z.infer<typeof archiveSchema>;

/** The text of an archives.json. */
const archivesSchema = z.array(archiveSchema).min(1).max(50);

/**
 * The archives that a configuration file names.
 *
 *     [{"distribution": "debian", "url": "https://…/debian", "keyrings": ["/usr/share/keyrings/debian-archive-keyring.gpg"]}]
 *
 * @throws Error that names the place in the file and what should stand there
 */
export function parseArchives(text: string): Archive[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`archives file: not JSON: ${String(cause)}`, { cause });
  }
  const result = archivesSchema.safeParse(value);
  if (!result.success) throw new Error(`archives file: ${z.prettifyError(result.error)}`);
  return result.data;
}

/** The suites whose state a target of `suite` is built in. */
export function environmentOf(archive: Archive, suite: string): readonly string[] {
  return archive.environments[suite] ?? [suite];
}

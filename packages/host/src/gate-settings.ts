import { packageNameSchema, packageVersionSchema, timeSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { z } from "zod";

/** `observe` says what there is, `warn` also what is wrong with it, `enforce` stops apt. */
export const gateModes = ["observe", "warn", "enforce"] as const;
export type GateMode = (typeof gateModes)[number];

/** A package that may be installed though nobody has reproduced it: one version, for a reason, until a day. */
const exceptionSchema = z.strictObject({
  package: packageNameSchema,
  version: packageVersionSchema,
  reason: z.string().min(1).max(500),
  expiresAt: timeSchema,
});
export type GateException = z.infer<typeof exceptionSchema>;

const gateSettingsSchema = z.strictObject({
  mode: z.enum(gateModes),
  /** Directory of the snapshot. */
  snapshot: z.string().startsWith("/").max(4096),
  /** Where it is kept which files were let through; `/var/lib/quorate/gated` without it. */
  gatedFiles: z.string().startsWith("/").max(4096).optional(),
  /** What is known is out of date when a quorum of witnesses cosigned it longer ago; three days without it. */
  freshnessSeconds: z.int().min(60).optional(),
  exceptions: z.array(exceptionSchema).max(10_000),
});
export type GateSettings = z.infer<typeof gateSettingsSchema>;

/**
 * The settings of a host's gate.
 *
 *     {"exceptions":[{"expiresAt":"2027-01-31T00:00:00Z","package":"hello","reason":"bug 1234","version":"2.10-3"}],
 *      "mode":"enforce","snapshot":"/var/lib/quorate/snapshot"}
 *
 * @throws ParseError
 */
export function parseGateSettings(text: string): GateSettings {
  try {
    return gateSettingsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ParseError("gate settings", text, { cause });
  }
}

/** The inverse of `parseGateSettings`, with a line a member: people edit it. */
export function formatGateSettings(settings: GateSettings): string {
  return `${JSON.stringify(settings, null, 2)}\n`;
}

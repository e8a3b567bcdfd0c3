import type { AuditOutcome } from "@quorate/host/audit-outcome";
import { type ExitCode, exitCodes } from "./command-error.ts";

/** As docs/cli.md says. What could not be done at all is `incomplete` too: no look that failed may pass for one that found nothing. */
export const outcomeExitCodes: Record<AuditOutcome, ExitCode> = {
  clean: exitCodes.ok,
  drift: exitCodes.failed,
  tampering: exitCodes.refuted,
  incomplete: exitCodes.notReproduced,
};

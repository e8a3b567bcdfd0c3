import { checkHost } from "./debian/host-check.ts";

// For whoever is about to start workers: says on standard error what this host lacks, with exit code 1.
try {
  await checkHost();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Most of a short command's time is spent on loading it.
enableCompileCache();
const { runCommandLine } = await import("./program.ts");
process.exitCode = await runCommandLine(process.argv.slice(2));

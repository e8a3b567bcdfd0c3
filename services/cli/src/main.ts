#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { compileCacheDirectory } from "./compile-cache.ts";

// Most of a short command's time is spent on loading it.
enableCompileCache(compileCacheDirectory(process.env));
const { runCommandLine } = await import("./program.ts");
process.exitCode = await runCommandLine(process.argv.slice(2));

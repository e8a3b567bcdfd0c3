#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { compileCacheDirectory } from "./compile-cache.ts";
import { loadLean } from "./lean-loading.ts";

// Most of a short command's time is spent on loading it.
enableCompileCache(compileCacheDirectory(process.env));
loadLean();
const { runCommandLine } = await import("./command-line.ts");
process.exitCode = await runCommandLine(process.argv.slice(2), process.env);

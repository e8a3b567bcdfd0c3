import childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import { promisify } from "node:util";
import { flushed, takeStep } from "./fault-injection.ts";

const real = promisify(childProcess.execFile);

/** `sync --file-system PATH`, the one program that a log or a witness runs. */
function execFile(program: string, words: readonly string[]) {
  const path = words.at(-1) ?? "";
  const act = async () => {
    const done = flushed?.syncingAll(path);
    const output = await real(program, [...words]);
    done?.();
    return output;
  };
  return takeStep({ kind: "sync-all", path, act });
}

Object.assign(childProcess, { execFile: Object.assign(() => undefined, { [promisify.custom]: execFile }) });
syncBuiltinESMExports();

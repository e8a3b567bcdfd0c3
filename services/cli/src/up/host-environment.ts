import { compileCacheDirectory } from "../compile-cache.ts";
import type { Environment } from "../environment.ts";

/** What children inherit of this process's environment: nothing that configures a service. */
const inherited = [
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "TZ",
  "TMPDIR",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "LOG_LEVEL",
];

export type HostEnvironment = { variables: Readonly<Record<string, string>> };

export function hostEnvironment(env: Environment): HostEnvironment {
  const variables: Record<string, string> = { PATH: withSystemPaths(env["PATH"] ?? ""), NODE_COMPILE_CACHE: compileCacheDirectory(env) };
  for (const name of inherited) {
    const value = env[name];
    if (value !== undefined) variables[name] = value;
  }
  return { variables };
}

/** Debian keeps servers and tools for namespaces in the sbin directories, which a user's PATH need not have. */
function withSystemPaths(path: string): string {
  const parts = path.split(":").filter((part) => part !== "");
  const missing = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"].filter((part) => !parts.includes(part));
  return [...parts, ...missing].join(":");
}

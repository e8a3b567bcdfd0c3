import { startChild } from "./child.ts";
import { databaseChild } from "./database.ts";
import { hostEnvironment } from "./host-environment.ts";
import { layoutOf } from "./layout.ts";
import { redisChild } from "./redis.ts";

/** A process with two children, for tests that kill it: `node children.fixture.ts DIRECTORY` says `ready` when they are. */
const layout = layoutOf(process.argv[2] ?? "");
const host = hostEnvironment(process.env);
const options = { report: () => {}, signal: AbortSignal.timeout(100_000) };
await Promise.all([redisChild(layout, host), databaseChild(layout, host)].map((child) => startChild(child, options)));
console.log("ready");

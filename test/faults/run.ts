import { inLanes } from "../integration/log-constellation.ts";
import { formatFaultPoint } from "./fault-points.ts";
import { openFaultSuite } from "./fault-suite.ts";

/** Each run waits for the disk and for processes that start, most of the time. */
const lanes = 3;

/**
 * `npm run test:faults`: every fault at every storage step of a log and of a witness. Arguments are beginnings of names of the points to run,
 * such as `recovering/kill` or `new/io-error/12`; FAULT_SEED repeats the power failures of an earlier run.
 */
const seed = Number(process.env["FAULT_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const wanted = process.argv.slice(2);
await using suite = await openFaultSuite();
const points = suite.points.filter((point) => wanted.length === 0 || wanted.some((name) => formatFaultPoint(point).startsWith(name)));
console.log(`${suite.stepCount} storage steps, ${points.length} of ${suite.points.length} fault points, FAULT_SEED=${seed}`);

let done = 0;
let broken = 0;
let missed = 0;
const progress = setInterval(() => console.error(`${done} of ${points.length} fault points, ${broken} not survived`), 10_000);
await inLanes(points.length, lanes, async (index) => {
  const point = points[index];
  if (point === undefined) return;
  const run = await suite.run(point, seed);
  done += 1;
  if (run.report.metAt === undefined) missed += 1;
  if (run.broken.length === 0) return;
  broken += 1;
  const step = run.report.steps[run.report.metAt ?? -1];
  console.log(`${formatFaultPoint(point)} at ${step?.kind} ${step?.path}:\n  ${run.broken.join("\n  ")}\n${run.output}`);
});
clearInterval(progress);
console.log(`${points.length} fault points: ${points.length - broken} survived, ${broken} not; ${missed} of them came too late to be met`);
process.exitCode = broken === 0 ? 0 : 1;

import { expect, test } from "vitest";
import { faults } from "../faults/fault-plan.ts";
import { formatFaultPoint, sampleOf, seededChance } from "../faults/fault-points.ts";
import { openFaultSuite } from "../faults/fault-suite.ts";
import { inLanes } from "./log-constellation.ts";

const pointsOfEachFault = 5;

// All points: npm run test:faults
test("a log and a witness survive a sample of faults at their storage steps", async () => {
  const seed = Number(process.env["FAULT_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  await using suite = await openFaultSuite();
  const chance = seededChance(seed);
  const points = faults.flatMap((fault) =>
    sampleOf(
      suite.points.filter((point) => point.fault === fault),
      pointsOfEachFault,
      chance,
    ),
  );
  console.log(`${points.length} of ${suite.points.length} fault points at ${suite.stepCount} storage steps, FAULT_SEED=${seed}`);
  const broken: string[] = [];
  let met = 0;
  await inLanes(points.length, 3, async (index) => {
    const point = points[index];
    if (point === undefined) return;
    const run = await suite.run(point, seed);
    if (run.report.metAt !== undefined) met += 1;
    if (run.broken.length > 0) broken.push(`${formatFaultPoint(point)}: ${run.broken.join("; ")}\n${run.output}`);
  });
  expect(broken).toEqual([]);
  expect(met).toBeGreaterThan(points.length / 2);
});

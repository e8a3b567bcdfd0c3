import { defineConfig } from "vitest/config";

/**
 * `unit` needs nothing but Node; `integration` starts real servers and real builds, one file at a time; `live` rebuilds real Debian
 * packages from the mirror of the host.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "services/*/src/**/*.test.ts", "test/*.test.ts"],
          exclude: ["**/*.integration.test.ts", "**/node_modules/**"],
          // Some make a small signed archive first, which takes a while on a busy machine.
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "integration",
          include: [
            "packages/*/src/**/*.integration.test.ts",
            "services/*/src/**/*.integration.test.ts",
            "test/{integration,adversaries,tamper}/**/*.test.ts",
          ],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "live",
          include: ["test/live/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});

import { defineConfig } from "vitest/config";

/**
 * `unit` needs nothing but Node; `integration` starts real servers and real builds; `live` rebuilds real Debian packages from the mirror of
 * the host.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "services/*/src/**/*.test.ts", "test/*.test.ts"],
          exclude: ["**/*.integration.test.ts", "**/node_modules/**"],
          // Both CPUs of a small machine; by default one would be left idle.
          maxWorkers: 2,
          // Modules are loaded once for all files: no test leaves state in them, and loading them takes as long as the tests.
          isolate: false,
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
          // While one file waits for a timer, another works.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "live",
          include: ["test/live/**/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          testTimeout: 1_800_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});

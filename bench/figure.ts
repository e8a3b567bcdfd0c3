/** One measured number, beside the peer or the machine limit that it was measured against in the same run. */
export type Figure = {
  name: string;
  value: number;
  unit: string;
  /** value ÷ reference value, where both are rates; for times, reference ÷ value. Above 1 is better than the reference. */
  ratio?: number;
  /** What the ratio compares with. */
  reference?: string;
};

/** How often `work` runs in a second, over at least `seconds` of repetitions after a warm-up; `perCall` counts the items one call handles. */
export function ratePerSecond(work: () => void, options: { seconds?: number; perCall?: number } = {}): number {
  const { seconds = 1, perCall = 1 } = options;
  const warmUntil = performance.now() + (seconds * 1000) / 4;
  while (performance.now() < warmUntil) work();
  const startedAt = performance.now();
  let calls = 0;
  while (performance.now() - startedAt < seconds * 1000) {
    work();
    calls += 1;
  }
  return (calls * perCall * 1000) / (performance.now() - startedAt);
}

/** The value below which `share` of the sorted samples lie (nearest rank). */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    formatNumber(figure.value),
    figure.unit,
    figure.ratio === undefined ? "" : `${figure.ratio.toPrecision(3)} ×`,
    figure.reference ?? "",
  ]);
  const table = [["figure", "value", "unit", "ratio", "beside"], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function formatNumber(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

/** Values of labels by name; keep them few, since every combination is a series of its own. */
export type Labels = Readonly<Record<string, string>>;

export type Counter = { add(amount?: number, labels?: Labels): void };
export type Gauge = { set(value: number, labels?: Labels): void };
export type Histogram = { observe(value: number, labels?: Labels): void };

type Definition = { readonly name: string; readonly help: string };
type Metric = { readonly lines: () => string[] };

/** Seconds; from a fast disk's flush to a build's patience. */
const defaultBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600];

export const metricsMediaType = "text/plain; version=0.0.4; charset=utf-8";

/** The metrics of one service, written in Prometheus' text exposition format. Names end in their unit (`_seconds`, `_bytes`, `_total`). */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();

  counter(definition: Definition): Counter {
    const series = new Map<string, number>();
    this.#add(definition, "counter", () => Array.from(series, ([labels, value]) => `${definition.name}${labels} ${value}`));
    return {
      add(amount = 1, labels = {}) {
        const key = formatLabels(labels);
        series.set(key, (series.get(key) ?? 0) + amount);
      },
    };
  }

  gauge(definition: Definition): Gauge {
    const series = new Map<string, number>();
    this.#add(definition, "gauge", () => Array.from(series, ([labels, value]) => `${definition.name}${labels} ${value}`));
    return { set: (value, labels = {}) => void series.set(formatLabels(labels), value) };
  }

  histogram(definition: Definition & { buckets?: readonly number[] }): Histogram {
    const buckets = definition.buckets ?? defaultBuckets;
    const series = new Map<string, { labels: Labels; counts: number[]; sum: number; count: number }>();
    this.#add(definition, "histogram", () => Array.from(series.values()).flatMap((one) => histogramLines(definition.name, buckets, one)));
    return {
      observe(value, labels = {}) {
        const key = formatLabels(labels);
        const one = series.get(key) ?? { labels, counts: buckets.map(() => 0), sum: 0, count: 0 };
        series.set(key, one);
        one.counts = one.counts.map((count, index) => (value <= (buckets[index] ?? Infinity) ? count + 1 : count));
        one.sum += value;
        one.count += 1;
      },
    };
  }

  text(): string {
    return `${Array.from(this.#metrics.values())
      .flatMap((metric) => metric.lines())
      .join("\n")}\n`;
  }

  #add({ name, help }: Definition, type: string, lines: () => string[]): void {
    if (this.#metrics.has(name)) throw new Error(`defining the metric ${name}: there is one of this name`);
    this.#metrics.set(name, { lines: () => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines()] });
  }
}

function histogramLines(
  name: string,
  buckets: readonly number[],
  one: { labels: Labels; counts: number[]; sum: number; count: number },
): string[] {
  const labels = formatLabels(one.labels);
  return [
    ...buckets.map((bound, index) => `${name}_bucket${formatLabels({ ...one.labels, le: String(bound) })} ${one.counts[index] ?? 0}`),
    `${name}_bucket${formatLabels({ ...one.labels, le: "+Inf" })} ${one.count}`,
    `${name}_sum${labels} ${one.sum}`,
    `${name}_count${labels} ${one.count}`,
  ];
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

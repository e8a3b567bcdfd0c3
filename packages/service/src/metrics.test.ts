import { expect, test } from "vitest";
import { Metrics } from "./metrics.ts";

test("writes counters, gauges and histograms in the text exposition format", () => {
  const metrics = new Metrics();
  const requests = metrics.counter({ name: "requests_total", help: "Requests." });
  requests.add(1, { route: 'a"b' });
  requests.add(2, { route: 'a"b' });
  metrics.gauge({ name: "size", help: "Size." }).set(7);
  const seconds = metrics.histogram({ name: "took_seconds", help: "Time.", buckets: [0.1, 1] });
  seconds.observe(0.05);
  seconds.observe(0.5);
  expect(metrics.text()).toBe(`# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{route="a\\"b"} 3
# HELP size Size.
# TYPE size gauge
size 7
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 1
took_seconds_bucket{le="1"} 2
took_seconds_bucket{le="+Inf"} 2
took_seconds_sum 0.55
took_seconds_count 2
`);
});

test("refuses two metrics of one name", () => {
  const metrics = new Metrics();
  metrics.gauge({ name: "size", help: "" });
  expect(() => metrics.counter({ name: "size", help: "" })).toThrow("there is one of this name");
});

/**
 * Whether a client reads `Content-Encoding: gzip`, by its Accept-Encoding header (RFC 9110 §12.5.3). Without a header it is sent what is stored.
 *
 *     acceptsGzip("br, gzip;q=0.8, identity") === true
 */
export function acceptsGzip(header: string | undefined): boolean {
  const weights = new Map((header ?? "").split(",").map((item) => weightOf(item)));
  return (weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0) > 0;
}

function weightOf(item: string): [coding: string, weight: number] {
  const [coding = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  return [coding, weight === undefined ? 1 : Number(weight.slice(2)) || 0];
}

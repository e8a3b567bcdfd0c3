export const verdictFormats = ["csv", "json", "ndjson"] as const;
export const tableFormats = ["csv", "json"] as const;

type ExportFormat = (typeof verdictFormats)[number];

export const exportMediaTypes: Readonly<Record<ExportFormat, string>> = {
  csv: "text/csv; charset=utf-8",
  json: "application/json",
  ndjson: "application/x-ndjson",
};

type Line = Readonly<Record<string, string | number | null>>;

/** Lines to take away, one at a time: a table (RFC 4180, with the names of the first line), one JSON array, or an object a line. */
export function* formatExport(lines: Iterable<Line>, format: ExportFormat): Generator<string> {
  let isFirst = true;
  if (format === "json") yield "[";
  for (const line of lines) {
    if (format === "csv" && isFirst) yield formatCsvLine(Object.keys(line));
    if (format === "csv") yield formatCsvLine(Object.values(line));
    else yield `${format === "json" && !isFirst ? "," : ""}${JSON.stringify(line)}\n`;
    isFirst = false;
  }
  if (format === "json") yield "]\n";
}

function formatCsvLine(values: readonly (string | number | null)[]): string {
  return `${values.map((value) => (typeof value === "string" ? quoted(value) : (value ?? ""))).join(",")}\r\n`;
}

/** Spreadsheets take a text that begins so for a formula, and run it; the apostrophe says that it is text. */
const formulaStart = /^[=+\-@\t\r]/;

function quoted(text: string): string {
  return `"${formulaStart.test(text) ? "'" : ""}${text.replaceAll('"', '""')}"`;
}

import { z } from "zod";

/** Regular expressions of what has a form of its own, for schemas and for grammars of longer texts. */
export const forms = {
  packageName: "[a-z0-9][a-z0-9+.-]{1,99}",
  packageVersion: "(?:[0-9]{1,9}:)?[0-9A-Za-z][0-9A-Za-z.+~:-]{0,150}",
  distribution: "[a-z][a-z0-9-]{0,39}",
  suite: "[a-z0-9][a-z0-9._-]{0,59}",
  component: "[a-z][a-z0-9/-]{0,39}",
  architecture: "[a-z][a-z0-9-]{1,31}",
  fileName: "[A-Za-z0-9][A-Za-z0-9.+~:%_-]{0,250}",
  time: "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
} as const;
/** @param rule what a text that has no such form is told */
function formSchema(form: string, rule: string) {
  return z.string().regex(new RegExp(`^${form}$`), rule);
}

/** Debian Policy §5.6.1: source and binary package names. */
export const packageNameSchema = formSchema(forms.packageName, "must be a Debian package name").meta({ examples: ["mailgraph"] });

/** Debian Policy §5.6.12, without the white space it forbids; the order of versions is `@quorate/debian/version`. */
export const packageVersionSchema = formSchema(forms.packageVersion, "must be a Debian version").meta({ examples: ["1.14-20"] });

/** A distribution's short name, such as `debian`. */
export const distributionSchema = formSchema(forms.distribution, "must be a distribution's short name").meta({ examples: ["debian"] });

/** A suite or codename, such as `bookworm` or `trixie-updates`. */
export const suiteSchema = formSchema(forms.suite, "must be a suite name").meta({ examples: ["bookworm"] });

export const componentSchema = formSchema(forms.component, "must be an archive component");

/** What a target is built as: a machine architecture (`dpkg-buildpackage -B`) or `all` (`-A`). */
export const architectureSchema = formSchema(forms.architecture, "must be a Debian architecture").meta({ examples: ["amd64"] });

/** A file name without directories. */
export const fileNameSchema = formSchema(forms.fileName, "must be a plain file name").meta({ examples: ["mailgraph_1.14-20_all.deb"] });

/** A relative path inside an archive: no empty, `.` or `..` segment. */
export const archivePathSchema = z
  .string()
  .max(400)
  .regex(/^[A-Za-z0-9.+~:%_-]+(?:\/[A-Za-z0-9.+~:%_-]+)*$/, "must be a relative path")
  .refine((path) => !path.split("/").some((segment) => segment === "." || segment === ".."), "must not climb");

/** A DNS name of two labels or more, in lower case (RFC 1123 §2.1). Never an address: the last label begins with a letter. */
export const hostnameSchema = z
  .string()
  .max(253)
  .regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "must be a DNS name in lower case");

/** A time as RFC 3339 in UTC, to the second, `Z`. */
export const timeSchema = formSchema(forms.time, "must be a UTC time to the second").meta({ examples: ["2026-11-23T08:00:00Z"] });

/** The time as `timeSchema` takes it, such as `2026-11-23T08:00:00Z`: what is below a second is cut off. */
export function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

const controlCharacters = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** Text that UTF-8 can hold: JSON can spell lone surrogates, which nothing else of ours can. At most `max` characters. */
export function textSchema(max: number) {
  return z
    .string()
    .max(max)
    .refine((text) => text.isWellFormed(), "must be Unicode text");
}

/** One line of text for people: no control, line-separating or bidirectional-override characters, at most `max` characters. */
export function lineSchema(max: number) {
  return textSchema(max)
    .min(1)
    .refine((text) => !controlCharacters.test(text), "must be one line without control characters");
}

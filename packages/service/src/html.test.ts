import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeText, html } from "./html.ts";

const anyText = fc.array(fc.integer({ min: 0, max: 0x10_ffff })).map((points) => String.fromCodePoint(...points));

describe("markup", () => {
  it("escapes whatever is put into it, in content and in attributes", () => {
    expect(html`<a title="${`"><script>`}">${"<b>&'"}</a>`.toString()).toBe('<a title="&quot;&gt;&lt;script&gt;">&lt;b&gt;&amp;&#39;</a>');
  });

  it("takes markup and lists of it as they are, and nothing for what is absent", () => {
    expect(html`${[html`<i>${1}</i>`, "<"]}${undefined}${false}.`.toString()).toBe("<i>1</i>&lt;.");
  });

  it("shows characters that hide or turn text around by their number", () => {
    expect(escapeText("a\u202eb\u0000c\u200bd\u2028")).toBe("a⟨U+202E⟩b⟨U+0000⟩c⟨U+200B⟩d⟨U+2028⟩");
    expect(escapeText("lone \ud800 half")).toBe("lone ⟨U+D800⟩ half");
    expect(escapeText("line\nand\ttab")).toBe("line\nand\ttab");
  });

  it("never lets text end an element, a quote or a character reference", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const escaped = escapeText(text);
        expect(escaped).not.toMatch(/[<>"'\p{Cc}\p{Cf}](?<![\n\t])/u);
        expect(escaped.replaceAll(/&(?:amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
      }),
    );
  });
});

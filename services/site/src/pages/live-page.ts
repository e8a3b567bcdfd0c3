import { html } from "@quorate/service/html";
import type { LiveView } from "../live-rounds.ts";
import type { Page } from "../page.ts";
import { liveSection } from "./live-section.ts";

/** As the coordinator tells it: nothing of this is signed. */
export function livePage(view: LiveView): Page {
  return {
    title: "Live",
    description: "What is being rebuilt at the moment, and by whom.",
    section: "live",
    scripts: ["follow-live"],
    isMomentary: true,
    main: html`<h1>What is being rebuilt now</h1>
      <p>The coordinator tells this. It is not signed: what counts is in <a href="/log">the log</a>, and comes later.</p>
      <section id="live" data-shape="whole">${liveSection(view)}</section>`,
  };
}

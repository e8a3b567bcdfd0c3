/** The list of what is being rebuilt, renewed each time that it changes. */

const section = document.querySelector<HTMLElement>("#live");

if (section) {
  const events = new EventSource(`/live/events?shape=${section.dataset["shape"] ?? "whole"}`);
  events.addEventListener("live", ({ data }: MessageEvent<string>) => {
    const markup: unknown = JSON.parse(data);
    if (typeof markup !== "string") return;
    const parsed = new DOMParser().parseFromString(markup, "text/html");
    section.replaceChildren(...parsed.body.childNodes);
  });
}

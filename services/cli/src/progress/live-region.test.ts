import { expect, it } from "vitest";
import { createLiveRegion } from "./live-region.ts";

function terminal(columns: number, rows = 24) {
  const drawn: string[] = [];
  return { drawn, columns, rows, draw: (text: string) => void drawn.push(text) };
}

it("draws its lines again in place of those it drew before", () => {
  const screen = terminal(80);
  using region = createLiveRegion(screen);
  region.show(["one", "two"]);
  region.show(["three"]);
  expect(screen.drawn).toEqual(["\r\u001b[J\u001b[2Kone\n\u001b[2Ktwo\n", "\r\u001b[2A\u001b[J\u001b[2Kthree\n"]);
});

it("cuts a line that would wrap, and keeps what is said above its own lines", () => {
  const screen = terminal(6);
  using region = createLiveRegion(screen);
  region.show(["äöüäöüäöü"]);
  region.say("news");
  expect(screen.drawn).toEqual(["\r\u001b[J\u001b[2Käöüä…\n", "\r\u001b[1A\u001b[Jnews\n\u001b[2Käöüä…\n"]);
});

it("draws no more lines than the terminal shows, since those that scroll away cannot be erased", () => {
  const screen = terminal(80, 4);
  using region = createLiveRegion(screen);
  region.show(["one", "two", "three"]);
  expect(screen.drawn).toEqual(["\r\u001b[J\u001b[2Kone\n\u001b[2Ktwo\n"]);
});

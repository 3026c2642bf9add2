// What would become of a lead that does not exist: the server draws it, and the answers stand in no address of a page.
import { instantOf } from "./local-time.js";

export function start(element) {
  const form = element.querySelector("form");
  const place = element.querySelector("[data-outcome]");
  const stale = element.querySelector("[data-stale]");
  const local = element.querySelector("[data-local-time]");

  const changed = () => {
    form.elements.at.value = local.value && instantOf(local.value, element.dataset.zone);
    stale.hidden = place.hidden;
  };
  form.addEventListener("input", changed);
  changed(); // a moment may have been chosen before this was loaded
  form.addEventListener("reset", () => setTimeout(changed)); // after the inputs were emptied
  form.addEventListener("answered", ({ detail, focus }) => {
    const drawn = new DOMParser().parseFromString(detail.html, "text/html");
    place.replaceChildren(...[...drawn.body.children].map((each) => document.importNode(each, true)));
    place.hidden = false;
    stale.hidden = true;
    focus(place.querySelector("[data-tried]"));
  });
}

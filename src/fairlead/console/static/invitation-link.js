// The link of an invitation that no mail brings: shown, this once, with the address of this site before it.
import * as shownOnce from "./shown-once.js";

export function start(element) {
  shownOnce.start(element);
  element.addEventListener("answered", (event) => {
    if (!("link" in event.target.dataset)) return;
    const place = element.querySelector("[data-handed-over]");
    place.querySelector("code").textContent = location.origin + event.detail.path;
    place.hidden = false;
    event.focus(place);
  });
}

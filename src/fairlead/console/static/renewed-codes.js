// New recovery codes, shown in place, this once.
import * as shownOnce from "./shown-once.js";

export function start(element) {
  shownOnce.start(element);
  element.addEventListener("answered", (event) => {
    const place = element.querySelector("[data-new-codes]");
    shownOnce.showCodes(place.querySelector("[data-codes]"), event.detail.recovery_codes);
    place.hidden = false;
    event.focus(place);
  });
}

// A secret that the API has just made (of an endpoint, of a key): shown, this once, above what it belongs to. And what a
// receiver said of a test delivery.
import * as shownOnce from "./shown-once.js";

export function start(element) {
  shownOnce.start(element);
  element.addEventListener("answered", (event) => {
    const form = event.target;
    if ("secret" in form.dataset) show(element.querySelector("[data-new-secret]"), event);
    if ("trial" in form.dataset) tell(element.querySelector("[data-trial-answer]"), event.detail);
  });
}

function show(place, { detail: said, focus }) {
  place.querySelector("#new-secret").textContent = said.secret ?? said.key;
  place.hidden = false;
  focus(place);
}

function tell(place, said) {
  place.textContent = said.answer;
  place.className = said.is_delivered ? "trial-good" : "form-error";
  place.hidden = false;
}

// Setting up a second factor: the secret comes from the API and is shown as a picture and as text; a code of it confirms
// it; then the recovery codes are shown, this once.
import * as shownOnce from "./shown-once.js";

export function start(element) {
  const step = (name) => element.querySelector(`[data-step="${name}"]`);
  const show = (name, focus) => {
    for (const each of element.querySelectorAll("[data-step]")) each.hidden = each !== step(name);
    step(name).querySelector(focus)?.focus();
  };
  shownOnce.start(element);
  step("begin").addEventListener("answered", (event) => {
    const { secret, qr_svg: picture } = event.detail;
    element.querySelector("[data-picture]").src = `data:image/svg+xml,${encodeURIComponent(picture)}`;
    element.querySelector("[data-secret]").textContent = secret.replace(/(.{4})(?=.)/g, "$1 ");
    show("confirm", "input");
  });
  step("confirm").addEventListener("answered", (event) => {
    shownOnce.showCodes(element.querySelector("[data-codes]"), event.detail.recovery_codes);
    show("codes", "h2");
  });
}

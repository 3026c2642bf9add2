// What came of taking a decision again, beside the decision.
import { locale } from "./locale.js";

export function start(form) {
  const shown = document.querySelector("[data-verified]");
  form.addEventListener("answered", (event) => {
    const said = event.detail;
    const time = new Date(said.verified_at).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    shown.className = `verified ${said.holds ? "text-ok" : "text-bad"}`;
    shown.textContent = said.holds ? `${said.is_whole ? shown.dataset.holds : shown.dataset.holdsErased}, ${time}` : `${shown.dataset.differs}${said.differences.join(" ")}`;
  });
}

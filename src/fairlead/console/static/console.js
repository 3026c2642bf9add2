// Every page loads this. What a page needs beyond forms and the frame says so by an attribute, and is loaded then.
import { showErrors, unreachableText, watchForms } from "./forms.js";
import { announceKept } from "./announcements.js";
import { watchKeys } from "./keys.js";
import { isTouched } from "./meanwhile.js";
import { holdPresses, startModules } from "./modules.js";

const YEAR_SECONDS = 31_536_000;

function keepPreference(name, value) {
  const age = value === "" ? 0 : YEAR_SECONDS;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
}

// The server writes times in the viewer's zone, which only the browser knows. A page with times in another one is asked
// for again, unless cookies are refused.
function tellZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isKnown = () => document.cookie.split("; ").includes(`time_zone=${encodeURIComponent(zone)}`);
  if (isKnown()) return;
  keepPreference("time_zone", zone);
  if (isKnown() && document.body.dataset.zone !== zone && document.querySelector("time")) location.reload();
}

function watchPreferences() {
  for (const each of document.querySelectorAll("[data-preference]")) {
    const take = () => {
      keepPreference(each.dataset.preference, each.value);
      location.reload();
    };
    each.addEventListener("change", take);
    if (each.checked && isTouched(each)) take(); // chosen before this was loaded
  }
}

function watchRail() {
  const button = document.querySelector("[data-toggles]");
  if (!button) return;
  const rail = document.getElementById(button.dataset.toggles);
  const show = (isOpen) => {
    rail.classList.toggle("is-open", isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) rail.querySelector("a").focus();
  };
  button.addEventListener("click", () => show(!rail.classList.contains("is-open")));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && rail.classList.contains("is-open")) { show(false); button.focus(); }
  });
  document.addEventListener("click", (event) => {
    if (rail.classList.contains("is-open") && !rail.contains(event.target) && !button.contains(event.target)) show(false);
  });
}

// On a phone, the filters of a list.
function watchOpeners() {
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => {
      const isOpen = document.getElementById(button.getAttribute("aria-controls")).classList.toggle("is-open");
      button.setAttribute("aria-expanded", String(isOpen));
    });
  }
}

// A row of choices that is wider than a phone begins where the chosen one is in sight.
function showChosen() {
  for (const chosen of document.querySelectorAll(".button-group > [aria-current]")) {
    const group = chosen.parentElement;
    group.scrollLeft = chosen.offsetLeft - group.offsetLeft - (group.clientWidth - chosen.offsetWidth) / 2;
  }
}

// A dialog that was opened out of a menu gives the focus back to what is in the menu: meanwhile the menu stays open.
function watchMenus() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("dialog")) return;
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

// A form is not sent before the scripts of its page are there, which read and write what goes with it.
function holdForms(started) {
  let isStarted = false;
  started.then(() => { isStarted = true; });
  addEventListener("submit", (event) => {
    const form = event.target;
    if (isStarted || form.getAttribute("method") !== "post") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.hasAttribute("data-held")) return;
    form.setAttribute("data-held", "");
    started.then(() => form.requestSubmit(event.submitter?.form === form ? event.submitter : null), () => showErrors(form, { detail: unreachableText })).finally(() => form.removeAttribute("data-held"));
  }, true);
}

tellZone();
watchPreferences();
watchRail();
watchMenus();
watchOpeners();
showChosen();
watchForms(document);
watchKeys();
announceKept();
holdPresses();
holdForms(startModules(document));

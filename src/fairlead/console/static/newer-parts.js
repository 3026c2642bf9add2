// Parts of a page as they are by now, without the rest of it, in which something may have been typed: the page is asked for again,
// and each part with `data-renewed` that differs takes the place of the one that is shown, and its forms and scripts start.
import { watchForms } from "./forms.js";
import { startModules } from "./modules.js";

// The answer for the page, null where the network is away; and how many parts `mayRenew` held back.
export async function renewParts(mayRenew) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" }).catch(() => null);
  let waiting = 0;
  if (!answer?.ok || answer.redirected) return { answer, waiting };
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-renewed]")) {
    const newer = page.querySelector(`[data-renewed="${part.dataset.renewed}"]`);
    if (!newer || isSame(newer, part)) continue;
    if (mayRenew(part)) replace(part, document.importNode(newer, true)); else waiting += 1;
  }
  return { answer, waiting };
}

// But for what scripts note in it.
function isSame(newer, part) {
  const copy = part.cloneNode(true);
  for (const each of [copy, ...copy.querySelectorAll("[data-started]")]) each.removeAttribute("data-started");
  return newer.isEqualNode(copy);
}

function replace(part, newer) {
  const hadFocus = part.contains(document.activeElement);
  part.replaceWith(newer);
  watchForms(newer);
  startModules(newer);
  if (hadFocus) newer.querySelector("a[href], button")?.focus();
}

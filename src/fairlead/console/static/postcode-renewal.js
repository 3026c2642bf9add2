// Filters that are renewed to a table's newest version: how many, those that could not be with their reasons, and the list of
// tables as it is then. What stands in the form that loads a table stays.
import { announce } from "./announcements.js";
import { locale } from "./locale.js";
import { renewParts } from "./newer-parts.js";

export function start(root) {
  const kept = root.querySelector("[data-renewal-kept]");
  const number = new Intl.NumberFormat(locale);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

  root.addEventListener("answered", async ({ target, detail, focus }) => {
    if (!("renews" in target.dataset)) return;
    const { version, renewed_count: renewed, not_renewed: rest } = detail;
    kept.hidden = rest.length === 0;
    kept.querySelector("[data-renewal-words]").textContent = fill(root.dataset.keptText, { count: number.format(rest.length) });
    kept.querySelector("[data-renewal-list]").replaceChildren(...rest.map(lineOf));
    announce(fill(root.dataset.renewedText, { count: number.format(renewed), version: number.format(version) }));
    await renewParts((part) => part.dataset.renewed === "postcode-tables");
    if (rest.length) focus(kept);
  });

  function lineOf(each) {
    const link = document.createElement("a");
    link.href = `/providers/${encodeURIComponent(each.provider_id)}/subscriptions/${encodeURIComponent(each.subscription_id)}`;
    link.textContent = each.provider_name;
    const line = document.createElement("li");
    line.append(link, Object.assign(document.createElement("div"), { className: "sub", textContent: each.detail }));
    return line;
  }
}

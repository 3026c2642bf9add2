// Looking for a lead by what stands in it: through the API, so that no name stands in an address.
import { callApi } from "./forms.js";
import { locale } from "./locale.js";
import { newestAnswer } from "./newest-answer.js";

const ADDRESS = "/api/v1/provider/assignment-search";

export function start(element) {
  const part = (name) => element.querySelector(`[data-${name}]`);
  const form = element.querySelector("form");
  const ask = newestAnswer();
  let next = null;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    part("found-list").replaceChildren();
    next = null;
    look();
  });
  part("close").addEventListener("click", () => { ask(); part("found").hidden = true; form.elements.search.value = ""; form.elements.search.focus(); });
  part("more").querySelector("button").addEventListener("click", look);

  async function look() {
    const texts = part("texts").dataset;
    const asked = ask();
    const address = next ? `${ADDRESS}?cursor=${encodeURIComponent(next)}` : ADDRESS;
    const answer = await callApi("POST", address, { search: form.elements.search.value }).catch(() => null);
    if (!asked.isNewest()) return;
    part("found").hidden = false;
    part("found-error").hidden = Boolean(answer?.ok);
    if (!answer?.ok) { part("found-error").textContent = answer?.said?.detail ?? texts.unreachable; return; }
    part("found-list").append(...answer.said.items.map(rowOf));
    next = answer.said.next_cursor;
    part("more").hidden = next === null;
    const count = part("found-list").children.length;
    part("found-count").textContent = count ? String(count) : texts.none;
  }

  function rowOf(lead) {
    const row = part("row").content.cloneNode(true);
    const put = (name, text) => { row.querySelector(`.inbox-${name}`).textContent = text; };
    const money = new Intl.NumberFormat(locale, { style: "currency", currency: lead.currency });
    const amount = lead.price_cents / 10 ** money.resolvedOptions().maximumFractionDigits;
    row.querySelector("a").href = `/portal/leads/${lead.assignment_id}`;
    put("name", lead.contact_name ?? lead.contact_email ?? lead.contact_phone ?? part("texts").dataset.nameless);
    put("when", new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(new Date(lead.assigned_at)));
    put("what", `${lead.niche_name} · ${lead.level_name} · ${money.format(amount)}`);
    return row;
  }
}

// The leads that a text means, as the API finds them: a name, an email address, a telephone number, the beginning of an id.
import { callApi } from "./forms.js";
import { locale } from "./locale.js";
import { newestAnswer } from "./newest-answer.js";
import { takeSearch } from "./search.js";

const ask = newestAnswer();

export function start(card) {
  const look = () => { const text = takeSearch(); if (text) show(card, text); };
  document.addEventListener("search", look);
  look();
}

async function show(card, text) {
  const table = card.querySelector("table");
  const said = card.querySelector("[data-found-text]");
  const rows = table.tBodies[0];
  card.hidden = false;
  card.setAttribute("aria-busy", "true"); // the rows found before stay until the new ones are there
  const asked = ask();
  const answer = await callApi("POST", "/api/v1/admin/lead-search", { text });
  if (!asked.isNewest()) return;
  card.removeAttribute("aria-busy");
  rows.replaceChildren();
  table.hidden = true;
  if (!answer.ok) { said.textContent = answer.said.errors?.[0]?.detail ?? answer.said.detail; return; }
  const { items, next_cursor: next, is_partial: isPartial } = answer.said;
  const count = card.dataset.count.replace("{count}", items.length.toLocaleString(locale));
  said.textContent = !items.length ? card.dataset.none : isPartial ? card.dataset.partial : next ? card.dataset.more : count;
  table.hidden = items.length === 0;
  const labels = JSON.parse(rows.dataset.labels);
  for (const item of items) rows.append(rowOf(card, item, labels));
  asked.focus(rows.querySelector("a")); // not while the next search is typed: Enter would open a row
}

function rowOf(card, item, labels) {
  const words = document.getElementById("status-words");
  const status = item.status.replaceAll("_", "-");
  const name = item.contact_name ?? card.dataset.nameless.replace("{start}", item.lead_id.slice(0, 8));
  const link = Object.assign(document.createElement("a"), { href: `/leads/${encodeURIComponent(item.lead_id)}`, textContent: name });
  const label = Object.assign(document.createElement("span"), { className: `label ${words.getAttribute(`data-tone-${status}`)}`, textContent: words.getAttribute(`data-${status}`) });
  const when = new Date(item.created_at).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
  const row = document.createElement("tr");
  [link, item.niche_name, label, item.utm_source ?? "–", when].forEach((content, place) => {
    const cell = document.createElement("td");
    cell.dataset.label = labels[place];
    cell.append(content);
    row.append(cell);
  });
  return row;
}

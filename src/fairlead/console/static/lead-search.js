// The leads of a consumer, by their whole email address or telephone number, as the API finds them.
import { callApi } from "./forms.js";
import { takeSearch } from "./search.js";

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
  rows.replaceChildren();
  table.hidden = true;
  if (!text.includes("@") && (text.match(/\d/g) ?? []).length < 5) { said.textContent = card.dataset.unsuited; return; }
  const answer = await callApi("POST", "/api/v1/admin/lead-search", { contact: text });
  if (!answer.ok) { said.textContent = answer.said.errors?.[0]?.detail ?? answer.said.detail; return; }
  const { items, next_cursor: next } = answer.said;
  said.textContent = items.length ? (next ? card.dataset.more : "") : card.dataset.none;
  table.hidden = items.length === 0;
  const labels = JSON.parse(rows.dataset.labels);
  for (const item of items) rows.append(rowOf(item, labels));
}

function rowOf(item, labels) {
  const words = document.getElementById("status-words");
  const name = item.status.replaceAll("_", "-");
  const link = Object.assign(document.createElement("a"), { href: `/leads/${encodeURIComponent(item.lead_id)}`, textContent: `${item.lead_id.slice(0, 8)}…${item.lead_id.slice(-4)}` });
  const status = Object.assign(document.createElement("span"), { className: `label ${words.getAttribute(`data-tone-${name}`)}`, textContent: words.getAttribute(`data-${name}`) });
  const when = new Date(item.created_at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  const row = document.createElement("tr");
  [link, item.niche, status, when].forEach((content, place) => {
    const cell = document.createElement("td");
    cell.dataset.label = labels[place];
    cell.append(content);
    row.append(cell);
  });
  return row;
}

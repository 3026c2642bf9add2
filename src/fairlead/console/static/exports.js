// Exports that are being built: how far each has come is asked for now and then, and shown where it stands. When one
// ends, its parts of the page are asked for again: what may be done with it has changed.
import { callApi } from "./forms.js";
import { locale } from "./locale.js";
import { renewParts } from "./newer-parts.js";

const ASK_MS = 1_500;
const LONGEST_MS = 30_000;
const UNDER_WAY = ["waiting", "running"];

export function start(root) {
  const texts = root.dataset;
  const numbers = new Intl.NumberFormat(locale);
  const shown = [...root.querySelectorAll("[data-export]")];
  if (!shown.length) return;
  let pause = ASK_MS;

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

  function show(element, said) {
    const bar = element.querySelector("progress");
    if (said.progress === null) bar.removeAttribute("value");
    else bar.value = said.progress;
    const values = { rows: numbers.format(said.rows_written), expected: numbers.format(said.rows_expected ?? 0) };
    const text = said.rows_expected === null ? texts.rowsText : said.rows_expected_is_estimate ? texts.aboutText : texts.ofText;
    element.querySelector("[data-rows]").textContent = fill(text, values);
  }

  async function ask() {
    if (!root.isConnected) return; // a newer part has its place
    let isOver = false;
    try {
      for (const element of shown) {
        const answer = await callApi("GET", `/api/v1/admin/exports/${element.dataset.export}`);
        if (!answer.ok) { isOver ||= answer.status === 404; continue; }
        if (answer.said.state !== element.dataset.state) isOver = true;
        else show(element, answer.said);
      }
      pause = ASK_MS;
    } catch { // the network is away: it is asked less often until it is back
      pause = Math.min(LONGEST_MS, pause * 2);
    }
    if (isOver && !isAsked()) await renew();
    setTimeout(ask, pause);
  }

  // The page of one that is gone is gone, too.
  async function renew() {
    const { answer } = await renewParts((part) => part.dataset.renewed.startsWith("export") && !isAsked());
    if (answer?.status === 404) location.reload();
  }

  setTimeout(ask, ASK_MS);
}

// Something is being decided about what is shown.
const isAsked = () => document.querySelector('dialog[open], main form[aria-busy="true"]') !== null;

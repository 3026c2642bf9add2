// Exports that are being built: how far each has come is asked for now and then, and shown where it stands. When one
// ends, the page is asked for again: what may be done with it has changed.
import { callApi } from "./forms.js";

const ASK_MS = 1_500;
const LONGEST_MS = 30_000;
const UNDER_WAY = ["waiting", "running"];

export function start(root) {
  const texts = root.dataset;
  const numbers = new Intl.NumberFormat(document.documentElement.lang);
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
    if (isOver && !document.querySelector("dialog[open]")) location.reload();
    else setTimeout(ask, pause);
  }

  setTimeout(ask, ASK_MS);
}

// A postcode table from a file: its text in the form's hidden `content`. Lines that are refused stand in a table, each with
// what the file says there and the API's reason. A file that is too large is said before it is sent.
import { announceOnNextPage } from "./announcements.js";
import { locale } from "./locale.js";

export function start(form) {
  const file = form.querySelector("input[type=file]");
  const error = form.querySelector("[data-error-of=content]");
  const summary = form.querySelector('[data-error-of=""]');
  const refused = form.querySelector("[data-refused-lines]");
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const number = (value) => new Intl.NumberFormat(locale).format(value);

  // A file that was mended and is chosen again is no change to a browser, unless none was chosen before.
  file.addEventListener("click", () => { file.value = form.elements.content.value = ""; });
  file.addEventListener("change", take);
  if (file.files.length) take(); // chosen before this was loaded
  async function take() {
    const chosen = file.files[0];
    form.elements.content.value = "";
    let text = "";
    file.setCustomValidity(form.dataset.tooLarge); // until it was read, too, nothing is sent
    if (chosen && chosen.size <= Number(form.dataset.mostBytes)) text = (await chosen.text()).replace(/\r\n?/g, "\n");
    if (chosen !== file.files[0]) return; // another was chosen meanwhile
    const isTooLarge = chosen !== undefined && (chosen.size > Number(form.dataset.mostBytes) || bytesOf(text) > Number(form.dataset.mostBytes));
    file.setCustomValidity(isTooLarge ? form.dataset.tooLarge : "");
    error.textContent = isTooLarge ? form.dataset.tooLarge : "";
    error.hidden = !isTooLarge;
    if (!isTooLarge) form.elements.content.value = text;
  }
  form.addEventListener("submit", () => { refused.hidden = true; });
  form.addEventListener("refused", ({ detail }) => {
    const lines = (detail.errors ?? []).map((each) => /^line (\d+): (.+)$/s.exec(each.detail)).filter((found) => found !== null);
    if (!lines.length) return;
    const all = form.elements.content.value.split("\n");
    refused.tBodies[0].replaceChildren(...lines.map(([, line, reason]) => rowOf(Number(line), all[line - 1] ?? "", reason)));
    refused.hidden = false;
    summary.textContent = fill(lines.length < Number(form.dataset.mostRefused) ? form.dataset.refused : form.dataset.refusedFirst, { count: number(lines.length) });
    summary.focus();
  });
  form.addEventListener("answered", ({ detail }) => {
    const { name, version, postcode_count: count } = detail.postcode_table;
    announceOnNextPage(fill(detail.took_effect ? form.dataset.loaded : form.dataset.asBefore, { name, version, count: number(count) }));
    location.reload();
  });

  function rowOf(line, text, reason) {
    const row = form.querySelector("[data-refused-line]").content.cloneNode(true).firstElementChild;
    row.cells[0].textContent = number(line);
    row.cells[1].firstElementChild.textContent = text.length > 60 ? `${text.slice(0, 60)}…` : text;
    row.cells[2].textContent = reason;
    return row;
  }

  // As it is sent.
  function bytesOf(text) {
    return new TextEncoder().encode(JSON.stringify(text)).length;
  }
}

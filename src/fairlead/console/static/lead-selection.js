// What is selected in the list, what approving or rejecting that would do, before it is done, and what came of each.
import { locale } from "./locale.js";

export function start(card) {
  const form = card.querySelector("form");
  const boxes = [...document.querySelectorAll('input[name="lead_ids"]')];
  const all = document.querySelector("[data-selects-all]");
  const buttons = [...form.querySelectorAll("button[data-says]")];
  const reason = form.querySelector('[name="reason"]');
  const refusals = JSON.parse(form.dataset.refusals); // by their codes, in the language of the page
  const selected = form.querySelector("[data-selected]");
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const money = new Intl.NumberFormat(locale, { style: "currency", currency: card.dataset.currency });
  const amount = (cents) => money.format(cents / 10 ** money.resolvedOptions().maximumFractionDigits);
  let last = boxes.findLast((box) => box.checked) ?? null; // changed last, maybe before this was loaded: shift selects from there
  let verb = "approve";

  const update = () => {
    const chosen = boxes.filter((box) => box.checked);
    card.hidden = chosen.length === 0 && !form.dataset.isDone;
    selected.textContent = fill(selected.dataset.selected, { all: chosen.length });
    for (const box of boxes) box.closest("tr").setAttribute("aria-selected", String(box.checked));
    all.checked = chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && !all.checked;
    for (const button of buttons) {
      const fit = chosen.filter((box) => button.dataset.counts.split(" ").includes(box.dataset.status));
      const most = amount(fit.reduce((sum, box) => sum + Number(box.dataset.mostCents), 0));
      const says = fit.length === chosen.length ? button.dataset.saysAll : button.dataset.says;
      button.dataset.confirm = fill(says, { count: fit.length, all: chosen.length, most });
      button.disabled = fit.length === 0;
    }
  };

  // From the box before to this one, all as this one is.
  const range = (box) => {
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((one, other) => one - other);
    for (const each of boxes.slice(from, to + 1)) if (!each.disabled) each.checked = box.checked;
  };
  for (const box of boxes) {
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last !== null && last !== box) range(box);
      last = box;
      update();
    });
  }
  const selectAll = () => { for (const box of boxes) if (!box.disabled) box.checked = all.checked; };
  all.addEventListener("change", () => { selectAll(); update(); });
  if (all.checked) selectAll(); // before this was loaded

  for (const button of buttons) {
    button.addEventListener("click", () => {
      verb = button.dataset.verb;
      const isReject = "needsReason" in button.dataset;
      reason.disabled = !isReject;
      reason.required = isReject;
      setTimeout(() => { reason.disabled = false; reason.required = false; });
    });
  }
  form.addEventListener("answered", (event) => {
    const { done_count: done, items } = event.detail;
    const results = new Map(items.map((each) => [each.lead_id, each]));
    for (const box of boxes) {
      const result = results.get(box.value);
      if (result) tell(box, result);
    }
    form.dataset.isDone = "true";
    const reload = form.querySelector("[data-reload]");
    reload.hidden = false;
    update();
    event.focus(reload); // the buttons have nothing left that they could be pressed for
    selected.textContent = fill(form.dataset.results, { done, all: items.length });
  });

  // Beside the lead's name; one that was refused stays selected.
  function tell(box, result) {
    const said = box.closest("tr").querySelector("[data-result]");
    const isRefused = result.result === "refused";
    said.textContent = isRefused ? (refusals[result.code] ?? result.detail) : result.result === "already" ? form.dataset.already : form.dataset[verb === "approve" ? "approved" : "rejected"];
    said.className = `row-result ${isRefused ? "text-bad" : "text-ok"}`;
    box.checked = isRefused;
    box.disabled = !isRefused;
  }
  update();
}

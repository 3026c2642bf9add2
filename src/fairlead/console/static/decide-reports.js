// Many reports of bad leads, decided with one memo. Before, what that would move is said in numbers; then each is decided
// in turn by the API's own call, with a key of its own, so that one that is sent again has one effect. What could not
// be decided is listed with its reason, and stays selected.
import { announceOnNextPage } from "./announcements.js";
import { callWithStepUp, confirmed, showErrors } from "./forms.js";
import { locale } from "./locale.js";

const STOPPING = [401, 403, 422, 429]; // the next would be refused for the same reason

export function start(form) {
  const part = (name) => form.querySelector(`[data-${name}]`);
  const texts = part("texts").dataset;
  const boxes = () => [...document.querySelectorAll("[data-report]")];
  const all = document.querySelector("[data-selects-all]");
  const language = locale;
  const number = new Intl.NumberFormat(language);
  const amounts = new Intl.NumberFormat(language, { style: "currency", currency: form.dataset.currency });
  const digits = amounts.resolvedOptions().maximumFractionDigits;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const keys = new Map(); // of each call that was sent and not answered for good
  let isDeciding = false;

  function numbersOf(chosen) {
    const providers = new Set(chosen.map((box) => box.dataset.provider)).size;
    const cents = chosen.reduce((sum, box) => sum + Number(box.dataset.cents), 0);
    return { providers, values: { reports: number.format(chosen.length), providers: number.format(providers), amount: amounts.format(cents / 10 ** digits) } };
  }

  function update() {
    const chosen = boxes().filter((box) => box.checked);
    const { providers, values } = numbersOf(chosen);
    part("choice").hidden = chosen.length === 0;
    part("preview").textContent = fill(providers === 1 ? texts.previewOne : texts.preview, values);
    part("accept").dataset.confirm = fill(providers === 1 ? texts.acceptOne : texts.accept, values);
    part("reject").dataset.confirm = fill(texts.reject, values);
    all.checked = chosen.length > 0 && chosen.length === boxes().length;
    all.indeterminate = chosen.length > 0 && !all.checked;
    for (const box of boxes()) box.closest("tr").setAttribute("aria-selected", String(box.checked));
  }

  function keyOf(written) {
    if (!keys.has(written)) keys.set(written, [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join(""));
    return keys.get(written);
  }

  // Whether it was decided, why not, and whether to go on with the others.
  async function decide(box, verb, memo) {
    const address = `/api/v1/admin/bad-lead-reports/${encodeURIComponent(box.dataset.report)}/${verb}`;
    const written = JSON.stringify([address, memo]);
    let answer;
    try {
      answer = await callWithStepUp("POST", address, { memo }, { "Idempotency-Key": keyOf(written) });
    } catch {
      return { stops: { detail: texts.unreachable } }; // its key stays: the call may have been carried out
    }
    if (answer === null) return { stops: { detail: texts.stopped } };
    if (answer.status < 500) keys.delete(written);
    if (answer.ok) return { isDecided: true };
    return STOPPING.includes(answer.status) ? { stops: answer.said } : { reason: answer.said?.detail ?? texts.unreachable };
  }

  async function decideAll(chosen, verb, memo) {
    const failed = [];
    let decided = 0;
    for (const [at, box] of chosen.entries()) {
      show(at, chosen.length);
      const { isDecided, stops, reason } = await decide(box, verb, memo);
      if (stops) return { decided, failed, stops };
      if (isDecided) { decided += 1; box.closest("tr").remove(); } else failed.push({ box, reason });
    }
    show(chosen.length, chosen.length);
    return { decided, failed, stops: null };
  }

  function show(done, count) {
    part("progress").hidden = false;
    const bar = part("progress").querySelector("progress");
    bar.max = count;
    bar.value = done;
    part("progress-text").textContent = fill(texts.progress, { done: number.format(done), all: number.format(count) });
  }

  function lineOf({ box, reason }) {
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = `/leads/${encodeURIComponent(box.dataset.lead)}`;
    link.textContent = box.dataset.name;
    line.append(link, `: ${reason}`);
    return line;
  }

  async function submit(event) {
    event.preventDefault();
    if (isDeciding) return;
    const button = event.submitter;
    const chosen = boxes().filter((box) => box.checked);
    showErrors(form, null);
    if (!chosen.length || !(await confirmed(button.dataset.confirm, button))) return;
    const memo = form.elements.memo.value;
    isDeciding = true;
    part("controls").disabled = true;
    for (const box of [...boxes(), all]) box.disabled = true;
    const { decided, failed, stops } = await decideAll(chosen, button.value, memo);
    isDeciding = false;
    part("controls").disabled = false;
    for (const box of [...boxes(), all]) box.disabled = false;
    part("progress").hidden = true;
    const summary = fill(texts.result, { done: number.format(decided), all: number.format(chosen.length) });
    if (!failed.length && !stops) { announceOnNextPage(summary); location.reload(); return; }
    part("result").hidden = false;
    part("summary").textContent = summary;
    part("failed").replaceChildren(...failed.map(lineOf));
    update();
    if (stops) showErrors(form, stops); else part("result").focus();
  }

  const selectAll = () => { for (const box of boxes()) box.checked = all.checked; };
  if (all.checked) selectAll(); // before this was loaded
  document.addEventListener("change", (event) => {
    if (event.target === all) selectAll();
    if (event.target === all || event.target.matches("[data-report]")) update();
  });
  form.addEventListener("submit", submit);
  addEventListener("beforeunload", (event) => { if (isDeciding) event.preventDefault(); });
  update();
}

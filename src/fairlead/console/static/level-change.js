// What another price of a level does, before it is saved: the API says which subscriptions stop for lack of money, which
// start, and which get no lead since their providers pay at most less. The form asks with these numbers.
import { bodyOf, callApi } from "./forms.js";
import { locale } from "./locale.js";
import { isTouched } from "./meanwhile.js";
import { newestAnswer } from "./newest-answer.js";

const PAUSE_MS = 400;

export function start(form) {
  previewPrices(form);
  if ([...form.querySelectorAll("input, select, textarea")].some(isTouched)) form.beforeAsking(); // before this was loaded
}

// `write` brings what is sent up to date.
export function previewPrices(form, write = () => {}) {
  const outcome = form.querySelector("[data-outcome]");
  const texts = form.querySelector("[data-price-effects]").dataset;
  const usual = form.dataset.confirm;
  const number = new Intl.NumberFormat(locale);
  const ask = newestAnswer();
  let timer;

  async function preview() {
    const asked = ask();
    let answer = null;
    try {
      write();
      const { memo, ...change } = bodyOf(form, null);
      answer = await callApi("POST", form.dataset.preview, change);
    } catch { /* what cannot be read is said when it is sent */ }
    if (!asked.isNewest()) return;
    forget();
    if (!answer?.ok) return;
    const { deactivated, reactivated, left_out: leftOut, active_count: active } = answer.said;
    const said = [];
    if (deactivated.length) said.push(say(deactivated.length === 1 ? texts.stopsOne : texts.stops, deactivated, active));
    if (reactivated.length) said.push(say(reactivated.length === 1 ? texts.startsOne : texts.starts, reactivated, active));
    if (leftOut.length) said.push(say(leftOut.length === 1 ? texts.leavesOutOne : texts.leavesOut, leftOut, active));
    outcome.textContent = said.join(" ") || texts.nothing;
    if (said.length) form.dataset.confirm = `${said.join(" ")} ${usual}`;
  }

  // What was said is about another price.
  function forget() {
    form.dataset.confirm = usual;
    outcome.textContent = "";
  }

  function say(text, moved, active) {
    const providers = new Set(moved.map((each) => each.provider_id)).size;
    return text.replace("{count}", number.format(moved.length)).replace("{active}", number.format(active)).replace("{providers}", number.format(providers));
  }

  form.addEventListener("input", () => { clearTimeout(timer); ask(); forget(); timer = setTimeout(preview, PAUSE_MS); });
  form.beforeAsking = () => { clearTimeout(timer); return preview(); };
}

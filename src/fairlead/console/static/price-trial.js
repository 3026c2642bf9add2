// A lead is tried by a level's price rules, as they stand in the editor beside it: which rule holds, and the price.
import { instantOf } from "./local-time.js";
import { locale } from "./locale.js";

const CONDITIONS = ["filter", "hours", "lead_age_minutes"];

export function start(form) {
  const part = (name) => form.querySelector(`[data-${name}]`);
  const texts = part("trial-texts").dataset;
  const money = new Intl.NumberFormat(locale, { style: "currency", currency: texts.currency });
  const amount = (cents) => money.format(cents / 10 ** money.resolvedOptions().maximumFractionDigits);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const [lead, chosen, madeUp] = [part("lead"), part("lead-id"), part("made-up")];

  const show = () => {
    const isMadeUp = !lead || lead.value === "";
    madeUp.hidden = madeUp.disabled = !isMadeUp;
    madeUp.toggleAttribute("data-not-sent", !isMadeUp);
    if (!lead) return;
    part("other-lead").hidden = lead.value !== "other";
    chosen.required = lead.value === "other";
    if (lead.value !== "other") chosen.value = lead.value;
  };
  lead?.addEventListener("change", () => { chosen.value = ""; show(); });
  show();
  form.addEventListener("submit", () => {
    part("age-minutes").value = Number(part("age").value || 0) * Number(part("age-unit").value);
    part("at").value = part("at-local").value && instantOf(part("at-local").value, form.dataset.zone);
  }, true);
  form.addEventListener("answered", ({ detail: said }) => {
    const decides = said.rule_number === null ? null : said.rules[said.rule_number - 1];
    part("trial-price").textContent = decides ? fill(texts.decides, { price: amount(said.price_cents), number: said.rule_number, name: decides.name }) : fill(texts.none, { price: amount(said.price_cents) });
    part("trial-rules").replaceChildren(...said.rules.map((rule, at) => line(rule, at, at + 1 === said.rule_number)));
    part("trial-result").hidden = false;
  });
  form.addEventListener("refused", () => { part("trial-result").hidden = true; });

  function line(rule, at, isDeciding) {
    const item = document.createElement("li");
    item.classList.toggle("is-deciding", isDeciding);
    const head = document.createElement("span");
    head.className = "trial-rule";
    head.append(text("strong", `${at + 1}. ${rule.name}`), text("span", amount(rule.price_cents)));
    const words = CONDITIONS.filter((each) => each in rule.conditions).map((each) => label(fill(rule.conditions[each] ? texts.holds : texts.fails, { condition: texts[each.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())] }), rule.conditions[each] ? "ok" : "off"));
    const row = document.createElement("span");
    row.className = "row";
    row.append(...words);
    item.append(head, row);
    if (rule.holds && !isDeciding) item.append(text("span", texts.later, "sub"));
    return item;
  }

  function label(words, tone) {
    return text("span", words, `label ${tone}`);
  }

  function text(tag, words, className = "") {
    return Object.assign(document.createElement(tag), { textContent: words, className });
  }
}

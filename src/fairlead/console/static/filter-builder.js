// A filter by clicking: each rule is a question of the form, a comparison that its type allows, and a value. The rules
// stand as JSON in a hidden input of the form that sends them; the API says what they would have matched.
import { callApi } from "./forms.js";
import { newestAnswer } from "./newest-answer.js";

const PAUSE_MS = 350;

export function start(element) {
  const part = (name) => element.querySelector(`[data-${name}]`);
  const { fields, rules } = JSON.parse(part("builder").textContent);
  const texts = part("texts").dataset;
  const rows = part("rows");
  const ask = newestAnswer();
  let timer = null;

  part("add").addEventListener("click", () => { rows.append(rowOf(null)); rows.lastElementChild.querySelector("select").focus(); changed(); });
  part("add").hidden = fields.length === 0;
  rows.append(...rules.map(rowOf));
  changed();

  function rowOf(rule) {
    const row = document.createElement("li");
    const question = select(texts.question, fields.map((field) => [field.key, field.label]), rule?.field_key);
    // A question that the form has no more stays in its rule, to be removed.
    if (rule && !fields.some((field) => field.key === rule.field_key)) question.prepend(new Option(rule.field_key, rule.field_key, true, true));
    const places = { comparison: document.createElement("span"), value: document.createElement("span") };
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "button quiet";
    remove.textContent = "×";
    remove.setAttribute("aria-label", texts.remove);
    remove.addEventListener("click", () => { row.remove(); part("add").focus(); changed(); });
    row.append(question, places.comparison, places.value, remove);
    const field = () => fields.find((each) => each.key === question.value);
    const showComparisons = (operator) => {
      const comparison = select(texts.comparison, field()?.operators ?? [[operator, operator]], operator);
      comparison.addEventListener("change", () => { showValue(undefined); changed(); });
      places.comparison.replaceChildren(comparison);
    };
    const showValue = (value) => {
      const control = controlOf(field(), places.comparison.firstChild.value, value);
      places.value.replaceChildren(control.element);
      row.rule = () => ({ field_key: question.value, operator: places.comparison.firstChild.value, value: control.value() });
    };
    question.addEventListener("change", () => { showComparisons(); showValue(undefined); changed(); });
    row.addEventListener("input", changed);
    showComparisons(rule?.operator);
    showValue(rule?.value);
    return row;
  }

  // What the value is typed or chosen with; its value is undefined while there is none.
  function controlOf(field, operator, value) {
    const options = field?.options ?? [];
    if (operator === "exists" || field?.type === "boolean") {
      const choice = select(texts.value, [["true", texts.yes], ["false", texts.no]], String(value ?? true));
      return { element: choice, value: () => choice.value === "true" };
    }
    if (operator === "between") {
      const bounds = [0, 1].map((number) => numberInput(Array.isArray(value) ? value[number] : undefined));
      const element = document.createElement("span");
      element.className = "row";
      element.append(bounds[0], texts.and, bounds[1]);
      return { element, value: () => bounds.some((each) => each.value === "") ? undefined : bounds.map((each) => Number(each.value)) };
    }
    if (field?.type === "number") {
      const input = numberInput(value);
      return { element: input, value: () => input.value === "" ? undefined : Number(input.value) };
    }
    if (operator === "in" || operator === "not_in") return checkboxes(options, value);
    if (options.length) {
      const choice = select(texts.value, options.map((each) => [each, each]), value);
      return { element: choice, value: () => choice.value };
    }
    const input = document.createElement("input");
    input.className = "inline-field";
    input.setAttribute("aria-label", texts.value);
    input.value = typeof value === "string" ? value : "";
    return { element: input, value: () => input.value || undefined };
  }

  function checkboxes(options, chosen) {
    const group = document.createElement("span");
    group.className = "row options";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", texts.value);
    const boxes = options.map((each) => {
      const label = document.createElement("label");
      label.className = "check";
      const box = document.createElement("input");
      box.type = "checkbox";
      box.value = each;
      box.checked = Array.isArray(chosen) && chosen.includes(each);
      label.append(box, each);
      group.append(label);
      return box;
    });
    return { element: group, value: () => { const values = boxes.filter((box) => box.checked).map((box) => box.value); return values.length ? values : undefined; } };
  }

  function numberInput(value) {
    const input = document.createElement("input");
    input.type = "number";
    input.step = "any";
    input.className = "inline-field number-field";
    input.setAttribute("aria-label", texts.value);
    input.value = typeof value === "number" ? String(value) : "";
    return input;
  }

  function select(label, choices, chosen) {
    const element = document.createElement("select");
    element.className = "inline-field";
    element.setAttribute("aria-label", label);
    for (const [value, text] of choices) element.append(new Option(text, value, false, value === chosen));
    return element;
  }

  function changed() {
    const written = [...rows.children].map((row) => row.rule());
    // What is not complete is sent as it is, so that the API says what is missing.
    part("rules").value = JSON.stringify(written.map((rule) => ({ ...rule, value: rule.value ?? null })));
    part("no-rules").hidden = written.length > 0;
    clearTimeout(timer);
    ask(); // what is on its way is about other rules
    if (written.some((rule) => rule.value === undefined)) { say(texts.incomplete, ""); return; }
    timer = setTimeout(() => preview(written), PAUSE_MS);
  }

  async function preview(written) {
    const asked = ask();
    const answer = await callApi("POST", element.dataset.preview, element.dataset.within ? { [element.dataset.within]: { version: 1, rules: written } } : { version: 1, rules: written }).catch(() => null);
    if (!asked.isNewest()) return;
    if (!answer?.ok) { say("", answer?.said?.errors?.map((each) => each.detail).join(" ") || answer?.said?.detail || texts.unreachable); return; }
    const { matched_count: matched, lead_count: count, filter_summary: words, is_estimate: isEstimate } = answer.said;
    const number = new Intl.NumberFormat(document.documentElement.lang);
    const text = count === 0 ? texts.none : matched === null ? texts.few : isEstimate ? texts.estimate : texts.matched;
    say(text.replace("{matched}", number.format(matched ?? 0)).replace("{count}", number.format(count)), words);
  }

  function say(count, words) {
    part("preview-count").textContent = count;
    part("preview-words").textContent = words;
  }
}

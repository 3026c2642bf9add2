// A filter by clicking: each rule is a question of the form, a comparison that its type allows, and a value; a group has
// rules and groups of which all, any, none or not all hold. They stand as JSON in a hidden input of the form that sends
// them; the API says what they would have matched.
import { callApi } from "./forms.js";
import { locale } from "./locale.js";
import { newestAnswer } from "./newest-answer.js";

const PAUSE_MS = 350;
const MOST_DEPTH = 5;
const LISTS = ["postcode_in", "postcode_not_in", "postcode_starts_with", "postcode_not_starts_with"];
const RANGES = ["postcode_between", "postcode_not_between"];

export function start(element) {
  const part = (name) => element.querySelector(`[data-${name}]`);
  const { fields, rules, tables } = JSON.parse(part("builder").textContent);
  const texts = part("texts").dataset;
  const rows = part("rows");
  const ask = newestAnswer();
  let timer = null;

  part("add").addEventListener("click", () => addTo(rows, rowOf(null)));
  part("add-group").addEventListener("click", () => addTo(rows, groupOf({ any: [] }, 1)));
  part("add").hidden = part("add-group").hidden = fields.length === 0;
  rows.append(...rules.map((node) => nodeOf(node, 1)));
  changed();

  function nodeOf(node, depth) {
    return "all" in node || "any" in node || "not" in node ? groupOf(node, depth) : rowOf(node);
  }

  function addTo(list, item) {
    list.append(item);
    item.querySelector("select").focus();
    changed();
  }

  // What is not any of several holds for none of them; of a single one, that is its opposite.
  function groupOf(node, depth) {
    const inner = node.not ?? node;
    const members = inner.all ?? inner.any ?? [inner];
    const chosen = node.not ? ("all" in inner ? "not_all" : "none") : "all" in node ? "all" : "any";
    const item = document.createElement("li");
    item.className = "rule-group";
    const kind = select(texts.group, [["any", texts.any], ["all", texts.all], ["none", texts.noneOf], ["not_all", texts.notAll]], chosen);
    kind.addEventListener("change", changed);
    const head = document.createElement("div");
    head.className = "row";
    head.append(kind, removeButton(texts.removeGroup, item));
    const list = document.createElement("ol");
    list.className = "rules";
    list.append(...members.map((each) => nodeOf(each, depth + 1)));
    const foot = document.createElement("p");
    foot.className = "row";
    foot.append(button(texts.add, () => addTo(list, rowOf(null))));
    if (depth < MOST_DEPTH) foot.append(button(texts.addGroup, () => addTo(list, groupOf({ any: [] }, depth + 1))));
    item.append(head, list, foot);
    item.node = () => {
      const own = [...list.children].map((each) => each.node());
      const written = { [kind.value === "all" || kind.value === "not_all" ? "all" : "any"]: own };
      return kind.value === "none" || kind.value === "not_all" ? { not: written } : written;
    };
    item.isComplete = () => list.children.length > 0 && [...list.children].every((each) => each.isComplete());
    return item;
  }

  function button(text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

  function removeButton(text, item) {
    const remove = button("×", () => {
      const list = item.parentElement;
      item.remove();
      (list === rows ? part("add") : list.nextElementSibling.querySelector("button")).focus();
      changed();
    });
    remove.className = "button quiet";
    remove.setAttribute("aria-label", text);
    return remove;
  }

  function rowOf(rule) {
    const row = document.createElement("li");
    const question = select(texts.question, fields.map((field) => [field.key, field.label]), rule?.field_key);
    // A question that the form has no more stays in its rule, to be removed.
    if (rule && !fields.some((field) => field.key === rule.field_key)) question.prepend(new Option(rule.field_key, rule.field_key, true, true));
    const places = { comparison: document.createElement("span"), value: document.createElement("span") };
    row.append(question, places.comparison, places.value, removeButton(texts.remove, row));
    const field = () => fields.find((each) => each.key === question.value);
    const showComparisons = (operator) => {
      const comparison = select(texts.comparison, field()?.operators ?? [[operator, operator]], operator);
      comparison.addEventListener("change", () => { showValue(undefined); changed(); });
      places.comparison.replaceChildren(comparison);
    };
    const showValue = (value) => {
      const operator = places.comparison.firstChild.value;
      const control = controlOf(field(), operator, value);
      places.value.replaceChildren(control.element);
      // What is not complete is sent as it is, so that the API says what is missing.
      row.node = () => ({ field_key: question.value, operator, value: control.value() ?? null });
      row.isComplete = () => control.value() !== undefined;
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
    if (operator === "within_km" || operator === "beyond_km") return circle(value, operator === "within_km" ? tables : []);
    if (LISTS.includes(operator) || (field?.type === "text" && (operator === "in" || operator === "not_in"))) return longList(value);
    if (RANGES.includes(operator)) {
      const bounds = [texts.from, texts.to].map((label, number) => textInput(label, Array.isArray(value) ? value[number] : ""));
      return { element: together(bounds[0], texts.and, bounds[1]), value: () => bounds.some((each) => each.value.trim() === "") ? undefined : bounds.map((each) => each.value) };
    }
    if (operator === "between" || operator === "not_between") {
      const bounds = [0, 1].map((number) => numberInput(Array.isArray(value) ? value[number] : undefined));
      return { element: together(bounds[0], texts.and, bounds[1]), value: () => bounds.some((each) => each.value === "") ? undefined : bounds.map((each) => Number(each.value)) };
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
    const input = textInput(texts.value, typeof value === "string" ? value : "");
    return { element: input, value: () => input.value || undefined };
  }

  function together(...parts) {
    const element = document.createElement("span");
    element.className = "row";
    element.append(...parts);
    return element;
  }

  function textInput(label, value) {
    const input = document.createElement("input");
    input.className = "inline-field";
    input.setAttribute("aria-label", label);
    input.value = value;
    return input;
  }

  // One value a line; a file may have more columns, of which the first counts.
  function longList(value) {
    const area = document.createElement("textarea");
    area.className = "inline-field";
    area.rows = 4;
    area.setAttribute("aria-label", texts.list);
    area.value = (Array.isArray(value) ? value : []).join("\n");
    const file = document.createElement("input");
    file.type = "file";
    file.accept = ".txt,.csv,text/plain,text/csv";
    file.setAttribute("aria-label", texts.file);
    const count = document.createElement("span");
    count.className = "sub";
    const values = () => area.value.split("\n").map((line) => line.trim()).filter((line) => line !== "");
    const recount = () => { count.textContent = texts.count.replace("{count}", new Intl.NumberFormat(locale).format(values().length)); };
    area.addEventListener("input", recount);
    file.addEventListener("change", async () => {
      if (!file.files.length) return;
      area.value = firstColumn(await file.files[0].text()).join("\n");
      file.value = "";
      area.dispatchEvent(new Event("input", { bubbles: true }));
    });
    const label = document.createElement("label");
    label.className = "list-file";
    label.append(texts.file, file);
    const element = document.createElement("span");
    element.className = "long-list";
    element.append(area, count, label);
    recount();
    return { element, value: () => { const own = values(); return own.length ? own : undefined; } };
  }

  function firstColumn(text) {
    const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/).map((line) => line.split(/[;,\t]/)[0].trim().replace(/^"(.*)"$/, "$1"));
    return lines.filter((line) => line !== "");
  }

  // From a point, or from a postcode of a table that the operator loaded.
  function circle(value, tables) {
    const [latitude, longitude, km] = [[texts.latitude, value?.point?.[0]], [texts.longitude, value?.point?.[1]], [texts.kilometres, value?.km]].map(([label, number]) => {
      const input = numberInput(number);
      input.setAttribute("aria-label", label);
      input.placeholder = label;
      return input;
    });
    const centre = select(texts.centre, [["", texts.byPoint], ...tables.map((name) => [name, texts.byPostcode.replace("{table}", name)])], value?.table ?? "");
    const postcode = textInput(texts.postcode, value?.postcode ?? "");
    // A distance from a point by a table was not made here: it stays as it is until something of it is changed.
    let isKept = Boolean(value?.table && !value.postcode);
    const element = together(km, texts.kmOf, centre, latitude, longitude, postcode);
    const show = () => { latitude.hidden = longitude.hidden = centre.value !== ""; postcode.hidden = centre.value === ""; };
    for (const each of [km, centre, latitude, longitude, postcode]) each.addEventListener("input", () => { isKept = false; show(); });
    show();
    const read = () => {
      const asked = centre.value ? [km, postcode] : [km, latitude, longitude];
      if (asked.some((each) => each.value.trim() === "")) return undefined;
      if (!centre.value) return { point: [Number(latitude.value), Number(longitude.value)], km: Number(km.value) };
      return { table: centre.value, postcode: postcode.value, km: Number(km.value) };
    };
    return { element, value: () => isKept ? value : read() };
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

  // A filter that the first version of the language can say is written in that.
  function isOfVersion1(node) {
    return "operator" in node && (fields.find((each) => each.key === node.field_key)?.first ?? [node.operator]).includes(node.operator);
  }

  function changed() {
    const written = [...rows.children].map((row) => row.node());
    const version = written.every(isOfVersion1) ? 1 : 2;
    part("rules").value = JSON.stringify(written);
    part("version").value = version;
    part("no-rules").hidden = written.length > 0;
    clearTimeout(timer);
    ask(); // what is on its way is about other rules
    if (![...rows.children].every((row) => row.isComplete())) { say(texts.incomplete, ""); return; }
    timer = setTimeout(() => preview({ version, rules: written }), PAUSE_MS);
  }

  async function preview(filter) {
    const asked = ask();
    const answer = await callApi("POST", element.dataset.preview, element.dataset.within ? { [element.dataset.within]: filter } : filter).catch(() => null);
    if (!asked.isNewest()) return;
    if (!answer?.ok) { say("", answer?.said?.errors?.map((each) => each.detail).join(" ") || answer?.said?.detail || texts.unreachable); return; }
    const { matched_count: matched, lead_count: count, filter_summary: words, is_estimate: isEstimate } = answer.said;
    const number = new Intl.NumberFormat(locale);
    const text = count === 0 ? texts.none : matched === null ? texts.few : isEstimate ? texts.estimate : texts.matched;
    say(text.replace("{matched}", number.format(matched ?? 0)).replace("{count}", number.format(count)), words);
  }

  function say(count, words) {
    part("preview-count").textContent = count;
    part("preview-words").textContent = words;
  }
}

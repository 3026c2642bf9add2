// A level's price rules by clicking: each has a name, a price, and conditions of which it needs one. They stand as JSON in
// the hidden input of the form that saves them, and in that of the form that tries them on a lead.
import { announce } from "./announcements.js";
import { start as startFilter } from "./filter-builder.js";
import { minorUnits } from "./forms.js";
import { previewPrices } from "./level-change.js";

const UNITS = [["1440", "days"], ["60", "hours"], ["1", "minutes"]];
const CONDITIONS = ["filter", "hours", "lead_age_minutes"];

export function start(form) {
  const part = (name) => form.querySelector(`[data-${name}]`);
  const { document: known, days, digits } = JSON.parse(part("price-rules").textContent);
  const texts = part("price-texts").dataset;
  const list = part("price-list");
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const rows = () => [...list.children];
  let dragged = null;

  list.append(...known.rules.map((rule) => rowOf(rule)));
  place();
  part("price-add").addEventListener("click", () => {
    list.append(rowOf({}));
    place();
    list.lastElementChild.querySelector('[data-part="name"]').focus();
  });
  list.addEventListener("keydown", (event) => {
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    move(event.target.closest(".price-rule"), event.key === "ArrowDown");
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest(".price-rule");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    if (event.clientY > box.top + box.height / 2) over.after(dragged); else over.before(dragged);
    place();
  });
  // Before any other listener reads what is sent.
  form.addEventListener("submit", write, true);
  document.querySelector("[data-price-trial]")?.addEventListener("submit", write, true);
  previewPrices(form, write);

  function move(row, isDown) {
    const other = isDown ? row.nextElementSibling : row.previousElementSibling;
    if (!other) return;
    const focused = document.activeElement;
    if (isDown) other.after(row); else other.before(row);
    focused.focus();
    place();
    announce(fill(texts.moved, { name: nameOf(row), place: rows().indexOf(row) + 1, count: list.children.length }));
  }

  function nameOf(row) {
    return row.querySelector('[data-part="name"]').value.trim();
  }

  // An error of the API names a rule by its place.
  function place() {
    rows().forEach((row, at) => {
      const name = `price_rules.rules.${at}`;
      row.querySelector("[data-ordinal]").textContent = at + 1;
      row.setAttribute("aria-label", fill(texts.rule, { number: at + 1, name: nameOf(row) }));
      for (const error of row.querySelectorAll("[data-part-error]")) error.dataset.errorOf = [name, error.dataset.partError].filter(Boolean).join(".");
      row.querySelector('[data-part="name"]').name = `${name}.name`;
      row.querySelector('[data-part="price"]').name = `${name}.price_cents`;
      row.querySelector('[data-has="filter"]').name = name;
    });
    part("price-none").hidden = list.children.length > 0;
  }

  function rowOf(rule) {
    const row = part("price-template").content.cloneNode(true).firstElementChild;
    const within = (selector) => row.querySelector(selector);
    const name = within('[data-part="name"]');
    name.value = rule.name ?? "";
    name.addEventListener("input", place);
    const price = within('[data-part="price"]');
    price.value = rule.price_cents === undefined ? "" : amountText(rule.price_cents);
    price.addEventListener("input", () => price.setCustomValidity(price.value && minorUnits(price.value, digits) === null ? document.getElementById("script-texts").dataset.noAmount : ""));
    for (const button of row.querySelectorAll("[data-moves]")) button.addEventListener("click", () => move(row, button.dataset.moves === "1"));
    within("[data-remove-rule]").addEventListener("click", () => {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      place();
      (next?.querySelector("[data-remove-rule]") ?? part("price-add")).focus();
    });
    const grip = within("[data-grip]");
    grip.addEventListener("dragstart", (event) => { dragged = row; event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setDragImage(row, 20, 20); });
    grip.addEventListener("dragend", () => { dragged = null; });
    const written = { filter: filterOf(row, rule.filter), hours: hoursOf(row, rule.hours), lead_age_minutes: ageOf(row, rule.lead_age_minutes) };
    for (const condition of CONDITIONS) {
      const box = within(`[data-has="${condition}"]`);
      const show = () => { within(`[data-condition="${condition}"]`).hidden = !box.checked; };
      box.checked = condition in rule;
      box.addEventListener("change", show);
      show();
    }
    row.written = () => {
      const own = { name: name.value.trim(), price_cents: minorUnits(price.value, digits) };
      for (const condition of CONDITIONS) if (within(`[data-has="${condition}"]`).checked) own[condition] = written[condition]();
      return own;
    };
    return row;
  }

  function amountText(cents) {
    const text = String(cents).padStart(digits + 1, "0");
    return digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text;
  }

  function filterOf(row, filter) {
    const element = row.querySelector('[data-module="filter-builder.js"]');
    const builder = element.querySelector("[data-builder]");
    builder.textContent = JSON.stringify({ ...JSON.parse(builder.textContent), rules: filter?.rules ?? [] });
    startFilter(element);
    element.dataset.started = "";
    row.querySelector('[data-has="filter"]').addEventListener("change", (event) => { if (event.target.checked && element.querySelector("[data-rules]").value === "[]") element.querySelector("[data-add]").click(); });
    return () => ({ version: Number(element.querySelector("[data-version]").value), rules: JSON.parse(element.querySelector("[data-rules]").value) });
  }

  // A closing at midnight is the end of the day.
  function hoursOf(row, spans) {
    const places = row.querySelector("[data-spans]");
    const add = (span) => {
      const item = part("price-span").content.cloneNode(true).firstElementChild;
      item.querySelector("[data-days]").append(...days.map(([key, name]) => dayBox(key, name, span.days.includes(key))));
      item.querySelector("[data-opens]").value = span.opens;
      item.querySelector("[data-closes]").value = span.closes === "24:00" ? "00:00" : span.closes;
      item.querySelector("[data-remove-span]").addEventListener("click", () => {
        item.remove();
        row.querySelector("[data-add-span]").focus();
      });
      places.append(item);
      return item;
    };
    for (const span of spans ?? []) add(span);
    const weekdays = () => ({ days: days.slice(0, 5).map(([key]) => key), opens: "09:00", closes: "17:00" });
    row.querySelector("[data-add-span]").addEventListener("click", () => add(weekdays()).querySelector("input").focus());
    row.querySelector('[data-has="hours"]').addEventListener("change", (event) => { if (event.target.checked && !places.children.length) add(weekdays()); });
    return () => [...places.children].map((item) => ({
      days: [...item.querySelectorAll("[data-days] input")].filter((box) => box.checked).map((box) => box.value),
      opens: item.querySelector("[data-opens]").value,
      closes: item.querySelector("[data-closes]").value.replace("00:00", "24:00"),
    }));
  }

  function dayBox(key, name, isChecked) {
    const label = document.createElement("label");
    label.className = "check";
    label.append(Object.assign(document.createElement("input"), { type: "checkbox", value: key, checked: isChecked }), name);
    return label;
  }

  function ageOf(row, age) {
    const bounds = ["from", "below"].map((name) => {
      const element = row.querySelector(`[data-age="${name}"]`);
      const [input, unit] = [element.querySelector("input"), element.querySelector("select")];
      unit.append(...UNITS.map(([minutes, word]) => new Option(texts[word], minutes)).reverse());
      const minutes = age?.[name];
      unit.value = minutes === undefined ? "60" : UNITS.find(([length]) => minutes % Number(length) === 0)[0];
      if (minutes !== undefined) input.value = minutes / Number(unit.value);
      return [name, input, unit];
    });
    return () => Object.fromEntries(bounds.filter(([, input]) => input.value !== "").map(([name, input, unit]) => [name, Number(input.value) * Number(unit.value)]));
  }

  function write() {
    const zone = part("price-zone").value.trim();
    const written = JSON.stringify({ version: 1, ...(zone && { timezone: zone }), rules: rows().map((row) => row.written()) });
    for (const input of document.querySelectorAll("[data-price-document]")) input.value = written;
  }
}

// The fields of a niche's form as rows. They stand as JSON in a hidden input of the form that saves them, which can be
// sent once the API has said what exactly these fields would do: any change after that asks for it again.
import { announce } from "./announcements.js";
import { callWithStepUp, showErrors } from "./forms.js";
import { locale } from "./locale.js";
import { isTouched } from "./meanwhile.js";
import { focusKeeper } from "./newest-answer.js";

const PARTS = ["key", "label", "type", "required", "options"];
const MOST_NAMED = 10;
const WITH_OPTIONS = ["select", "multi-select", "radio"];

export function start(form) {
  const part = (name) => form.querySelector(`[data-${name}]`);
  const list = part("fields");
  const save = part("save");
  const texts = part("texts").dataset;
  const levels = JSON.parse(part("levels").textContent);
  const number = new Intl.NumberFormat(locale);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const rows = () => [...list.children];
  const inputOf = (row, name) => row.querySelector(`[data-part="${name}"]`);
  let isChanged = [...list.querySelectorAll("input, select, textarea")].some(isTouched); // before this was loaded

  const fieldOf = (row) => {
    const type = inputOf(row, "type").value;
    const field = { key: inputOf(row, "key").value.trim(), label: inputOf(row, "label").value.trim(), type, required: inputOf(row, "required").checked };
    if (WITH_OPTIONS.includes(type)) field.options = inputOf(row, "options").value.split("\n").map((each) => each.trim()).filter(Boolean);
    return field;
  };

  // An error of the API names the field by its place, so rows are named by theirs.
  function place() {
    rows().forEach((row, at) => {
      const name = `form_schema.fields.${at}`;
      row.querySelector("[data-ordinal]").textContent = number.format(at + 1);
      row.querySelector("[data-row-error]").dataset.errorOf = name;
      for (const each of PARTS) {
        inputOf(row, each).name = `${name}.${each}`;
        row.querySelector(`[data-part-error="${each}"]`).dataset.errorOf = `${name}.${each}`;
      }
      row.querySelector("[data-options]").hidden = !WITH_OPTIONS.includes(inputOf(row, "type").value);
      row.setAttribute("aria-label", fill(texts.row, { number: number.format(at + 1), label: inputOf(row, "label").value }));
    });
    part("no-fields").hidden = list.children.length > 0;
    form.elements.form_schema.value = JSON.stringify({ version: 1, fields: rows().map(fieldOf) });
  }

  function changed() {
    place();
    isChanged = true;
    save.disabled = true;
    part("saving").hidden = true;
  }

  function move(row, step) {
    const other = step > 0 ? row.nextElementSibling : row.previousElementSibling;
    if (!other) return;
    const focused = document.activeElement;
    if (step > 0) other.after(row); else other.before(row);
    focused.focus();
    changed();
    announce(fill(texts.moved, { number: number.format(rows().indexOf(row) + 1), count: number.format(list.children.length) }));
  }

  function remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (next?.querySelector("[data-remove]") ?? part("add")).focus();
    changed();
  }

  function add() {
    list.append(part("new-field").content.cloneNode(true));
    changed();
    inputOf(list.lastElementChild, "label").focus();
  }

  // A new field's key follows its label until one is typed. Fields that leads have answered keep theirs.
  function suggestKey(row, typed) {
    if (typed === "key") row.removeAttribute("data-is-new");
    if (typed !== "label" || !row.hasAttribute("data-is-new")) return;
    const words = inputOf(row, "label").value.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replaceAll("ß", "ss");
    inputOf(row, "key").value = words.replace(/[^a-z0-9]+/g, "_").replace(/^[_0-9]+|_+$/g, "").slice(0, 64);
  }

  async function preview(button) {
    showErrors(form, null);
    place();
    const focus = focusKeeper();
    const asked = form.elements.form_schema.value;
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await callWithStepUp("POST", form.dataset.preview, { form_schema: JSON.parse(asked) });
      if (answer === null || asked !== form.elements.form_schema.value) return; // changed meanwhile
      if (!answer.ok) { showErrors(form, answer.said, focus); return; }
      await show(answer.said, () => asked === form.elements.form_schema.value, focus);
    } catch {
      showErrors(form, { detail: texts.unreachable }, focus);
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  async function show(outcome, isCurrent, focus) {
    const { invalidated, validated_subscription_ids: validated } = outcome;
    const named = await Promise.all(invalidated.slice(0, MOST_NAMED).map(lineOf));
    if (!isCurrent()) return;
    const said = (text, count) => fill(text, { count: number.format(count) });
    const lines = outcome.took_effect
      ? [invalidated.length ? said(texts.invalidated, invalidated.length) : texts.none, ...(validated.length ? [said(texts.validated, validated.length)] : [])]
      : [texts.same];
    part("outcome").replaceChildren(...lines.map((each) => element("p", each)));
    if (invalidated.length > named.length) named.push(element("li", said(texts.more, invalidated.length - named.length)));
    part("unfit").replaceChildren(...named);
    part("unfit").hidden = named.length === 0;
    part("saving").hidden = false;
    part("memo").hidden = !outcome.took_effect;
    save.disabled = !outcome.took_effect;
    focus(part("outcome"));
  }

  async function lineOf(unfit) {
    const answer = await callWithStepUp("GET", `/api/v1/admin/providers/${encodeURIComponent(unfit.provider_id)}`);
    const link = document.createElement("a");
    link.href = `/providers/${encodeURIComponent(unfit.provider_id)}`;
    link.textContent = (answer?.ok && answer.said.name) || unfit.provider_id;
    const line = document.createElement("li");
    line.append(link, ` · ${levels[unfit.level_id] ?? unfit.level_id} `, element("span", unfit.problem.replace(/^[^ ]*: /, ""))); // without its place in the filter's JSON
    line.lastChild.className = "sub";
    return line;
  }

  function element(tag, text) {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  }

  part("add").addEventListener("click", add);
  part("tries").addEventListener("click", (event) => preview(event.currentTarget));
  list.addEventListener("input", (event) => { suggestKey(event.target.closest(".field-row"), event.target.dataset.part); changed(); });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.moves) move(button.closest(".field-row"), Number(button.dataset.moves));
    else if (button?.hasAttribute("data-remove")) remove(button.closest(".field-row"));
  });
  list.addEventListener("keydown", (event) => {
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    move(event.target.closest(".field-row"), event.key === "ArrowDown" ? 1 : -1);
  });
  form.addEventListener("answered", () => { isChanged = false; });
  addEventListener("beforeunload", (event) => { if (isChanged) event.preventDefault(); });
  place();
}

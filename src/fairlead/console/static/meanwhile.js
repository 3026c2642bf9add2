// Two people change the same thing. The second is shown what the first changed, beside what was typed, which stays; what
// was not touched takes over the first's change. Sent again, the form names the version that is there by now.
//
// The page as it is now says the version and the values: the form in it with the same `data-api` is this form's other.
export async function showMeanwhile(form, texts) {
  const now = await formNow(form);
  if (now === null) return texts.changedAway;
  const differing = [...form.elements].filter((input) => input.name).map((input) => ({ input, other: otherOf(input, form, now) })).filter(({ input, other }) => other && startOf(input) !== startOf(other));
  if (differing.some(({ input }) => input.type === "hidden")) return texts.changedAway; // what it is about is not a field
  for (const { input, other } of differing) {
    if (valueOf(input) === startOf(input)) take(input, other);
    else if (valueOf(input) !== startOf(other)) say(input, texts.meanwhile.replace("{value}", wordsOf(other, texts)));
    setStart(input, other);
  }
  form.dataset.ifMatch = now.dataset.ifMatch;
  return texts.changedMeanwhile;
}

async function formNow(form) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const same = (within) => [...within.querySelectorAll("form[data-if-match]")].filter((each) => each.dataset.api === form.dataset.api);
  const [here, there] = [same(document), same(page)];
  return here.length === there.length ? there[here.indexOf(form)] : null;
}

function otherOf(input, form, now) {
  const named = (within) => [...within.elements].filter((each) => each.name === input.name);
  return named(now)[named(form).indexOf(input)];
}

const isBox = (input) => input.type === "checkbox" || input.type === "radio";
// A hidden one has no value of its own to begin with: the one that the page came with is kept by forms.js.
const startOf = (input) => input.type === "hidden" ? input.dataset.start ?? input.value : isBox(input) ? String(input.defaultChecked) : input.tagName === "SELECT" ? ([...input.options].find((each) => each.defaultSelected) ?? input.options[0])?.value ?? "" : input.defaultValue;
const valueOf = (input) => isBox(input) ? String(input.checked) : input.value;

// Whether it is no more as the page came.
export function isTouched(input) {
  return valueOf(input) !== startOf(input);
}

function take(input, other) {
  if (isBox(input)) input.checked = other.defaultChecked;
  else input.value = startOf(other);
}

function setStart(input, other) {
  const kept = valueOf(input);
  if (isBox(input)) { input.defaultChecked = other.defaultChecked; input.checked = kept === "true"; return; }
  if (input.tagName === "SELECT") { for (const each of input.options) each.defaultSelected = each.value === startOf(other); }
  else input.defaultValue = other.defaultValue;
  input.value = kept;
}

function wordsOf(other, texts) {
  if (isBox(other)) return other.defaultChecked ? texts.yes : texts.no;
  return other.tagName === "SELECT" ? [...other.options].find((each) => each.value === startOf(other))?.textContent ?? "" : startOf(other);
}

function say(input, text) {
  const field = input.closest(".field") ?? input.parentElement;
  const line = field.querySelector(".field-meanwhile") ?? document.createElement("p");
  line.className = "field-meanwhile";
  line.textContent = text;
  field.append(line);
}

// A niche's form: in steps where it is long, one question at a time; inside another site it tells its height, and takes
// colours of that site.
import { showErrors, whyUnreadable } from "./forms.js";
import { isTouched } from "./meanwhile.js";

const COLOURS = ["--back", "--card", "--ink", "--muted", "--accent", "--accent-ink", "--line", "--radius"];

export function start(form) {
  const steps = [...form.querySelectorAll("[data-question]")];
  const send = form.querySelector("[data-send]");
  const back = form.querySelector("[data-back]");
  const shown = form.querySelector("[data-step-shown]");
  let step = form.hasAttribute("data-stepped") ? 0 : null;

  function show() {
    if (step === null) return;
    steps.forEach((each, number) => {
      each.hidden = number !== step;
      // What is not shown cannot be asked for; it is sent all the same.
      for (const input of each.querySelectorAll("input, select")) input.toggleAttribute("data-later", number > step);
    });
    form.querySelector(".form-steps").hidden = false;
    shown.textContent = form.dataset.stepText.replace("{step}", step + 1).replace("{steps}", steps.length);
    Object.assign(form.querySelector("progress"), { max: steps.length, value: step + 1 });
    back.hidden = step === 0;
    send.textContent = step === steps.length - 1 ? send.dataset.send : form.dataset.next;
  }

  function isAnswered(question) {
    return [...question.querySelectorAll("input, select")].every((input) => input.checkValidity());
  }

  function go(to) {
    step = to;
    show();
    keep();
    steps[step].querySelector("input:not([type=hidden]), select")?.focus();
    tellHeight();
  }

  // What was typed outlives a reload and the way back, in this tab alone, until it is sent.
  const keptAs = `form ${form.elements.niche.value}`;
  const typed = [...form.querySelectorAll("input:not([type=hidden], [data-trap]), select, textarea")];

  const isBox = (input) => input.type === "checkbox" || input.type === "radio";

  function keep() {
    const values = typed.map((each) => isBox(each) ? each.checked : each.value);
    try { sessionStorage.setItem(keptAs, JSON.stringify({ values, step })); } catch { /* a site that frames it may forbid it */ }
  }

  function restore() {
    let kept = null;
    try { kept = JSON.parse(sessionStorage.getItem(keptAs)); } catch { /* as above */ }
    if (kept?.values?.length !== typed.length) return;
    // What was typed before this was loaded is newer.
    const newer = new Set(typed.filter(isTouched).map((each) => each.name));
    typed.forEach((each, number) => {
      if (newer.has(each.name)) return;
      if (isBox(each)) each.checked = kept.values[number] === true;
      else each.value = kept.values[number];
    });
    if (step !== null) step = Math.min(kept.step ?? 0, steps.length - 1);
  }

  form.addEventListener("input", keep);
  restore();
  if (typed.some(isTouched)) keep();
  form.noValidate = step !== null;
  // Before the form is sent, and in its stead until the last step.
  form.addEventListener("submit", (event) => {
    const isLast = step === null || step === steps.length - 1;
    if (isLast && form.querySelector("[data-trap]").value !== "") {
      event.preventDefault();
      event.stopImmediatePropagation();
      finish(); // a program that fills in everything learns nothing
      return;
    }
    if (step === null) return;
    // At its own step: at the last one, what is wrong at an earlier one would not be seen.
    const odd = [...steps[step].querySelectorAll("input[name]")].find((each) => whyUnreadable(each) !== null);
    showErrors(form, odd ? { errors: [{ pointer: `/${odd.name}`, detail: whyUnreadable(odd) }] } : null);
    const unanswered = steps.slice(0, step + 1).findIndex((each) => !isAnswered(each));
    if (unanswered >= 0) {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (unanswered !== step) go(unanswered);
      steps[unanswered].querySelector(":invalid:not(fieldset)")?.reportValidity();
    } else if (odd) {
      event.preventDefault();
      event.stopImmediatePropagation();
      tellHeight();
    } else if (step < steps.length - 1) {
      event.preventDefault();
      event.stopImmediatePropagation();
      go(step + 1);
    }
  }, { capture: true });
  back.addEventListener("click", () => go(step - 1));
  form.addEventListener("refused", () => {
    const at = steps.findIndex((each) => each.querySelector("[aria-invalid=true]"));
    if (step !== null && at >= 0) { step = at; show(); steps[at].querySelector("[aria-invalid=true]").focus(); }
    tellHeight();
  });

  function finish() {
    try { sessionStorage.removeItem(keptAs); } catch { /* as above */ }
    form.hidden = true;
    const sent = document.querySelector("[data-afterwards]");
    sent.hidden = false;
    sent.focus();
    tellHeight();
  }
  form.addEventListener("answered", finish);

  function tellHeight() {
    if (parent !== window) parent.postMessage({ fairlead: "height", height: document.querySelector("main").scrollHeight }, "*");
  }
  window.addEventListener("message", (event) => {
    if (event.source !== parent || event.data?.fairlead !== "colours") return;
    for (const name of COLOURS) {
      const value = event.data.colours?.[name];
      if (typeof value === "string" && /^[#\w(),.% -]{1,60}$/.test(value)) document.documentElement.style.setProperty(name, value);
    }
  });
  if (parent !== window) document.documentElement.classList.add("is-embedded");
  show();
  new ResizeObserver(tellHeight).observe(document.body);
  tellHeight();
}

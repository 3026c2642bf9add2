// Forms are sent to the API, as JSON.
//
//   <form data-api="POST /api/v1/admin/assignments/.../refund"   method and address
//         data-then="reload"            where to go afterwards: `reload`, `stay`, `none`, or an address, {member} or {a.b} of the answer in it
//         data-done="Refunded."         what is announced afterwards
//         data-confirm="This refunds 9 providers."   asked before
//         data-if-match="..."           the version that is being changed
//         data-no-key                  no Idempotency-Key goes with it: each attempt counts
//         data-ended="/login"           where to go if the session is over: for forms that are part of logging in
//         data-bare                     the body is the one value, not an object of them>
//
// An input's name is the member of the body, `a.b` of an object in it, or `a/b.c` where a name may have points;
// `a/0/b` is of the first of a list. `data-type` says what it becomes: `integer`,
// `number`, `boolean`, `day` (its beginning, in UTC), `day-after` (that of the next), `cents` (an amount with `data-digits` decimals), `json`, `list` (one a line), `text`; an empty
// one that is not required is left out, with `data-null` it is null. A refusal leaves everything as it was typed and
// stands beside what it is about. One that asks for a fresh proof opens a dialog, and goes on from there. A form that
// is sent again after the network failed has the same Idempotency-Key, so that it has one effect: also if it was changed
// meanwhile, since the first may have arrived. Then the server refuses the key for another body, and the form says so.
//
// A form whose `data-if-match` is not the version any more is not sent: meanwhile.js shows what was changed in between.
import { announce, announceOnNextPage } from "./announcements.js";
import { showMeanwhile } from "./meanwhile.js";
import { focusKeeper } from "./newest-answer.js";

const texts = document.getElementById("script-texts").dataset;
export const unreachableText = texts.unreachable;
const ENDED = ["session_required", "session_invalid"];

export function watchForms(root) {
  for (const form of root.querySelectorAll("form[data-api]")) watchForm(form);
}

export async function callApi(method, address, body, headers = {}) {
  const options = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(address, options);
  const text = await answer.text();
  return { status: answer.status, ok: answer.ok, said: text ? JSON.parse(text) : null };
}

// Calls; where a fresh proof of who it is is asked for, asks for that, and calls again. Null where the user gave up.
export async function callWithStepUp(method, address, body, headers) {
  for (;;) {
    const answer = await callApi(method, address, body, headers);
    if (answer.ok || answer.said?.code !== "step_up_required") return answer;
    if (!(await stepUp())) return null;
  }
}

function watchForm(form) {
  for (const input of form.elements) if (input.type === "hidden") input.dataset.start = input.value;
  let attempt = null; // the body and its key: the key stays for as long as the body does, and until there was an answer
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    const button = event.submitter;
    const focus = focusKeeper();
    showErrors(form, null);
    let body;
    try {
      body = bodyOf(form, button);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      showErrors(form, { errors: [{ pointer: `/${error.place}`, detail: error.message }] });
      return;
    }
    await form.beforeAsking?.(); // what a change would do, where its page has it said
    const asked = button?.dataset.confirm ?? form.dataset.confirm;
    if (asked && !(await confirmed(asked, button))) return;
    const [method, address] = (button?.dataset.api ?? form.dataset.api).split(" ");
    const written = JSON.stringify([method, address, body]);
    if (attempt === null || (attempt.written !== written && !attempt.isUnanswered)) attempt = { written, key: newKey() };
    form.setAttribute("aria-busy", "true");
    let isLeaving = false; // until the next page is there, a second click would be a second effect
    try {
      const answer = await callWithStepUp(method, address, method === "DELETE" || method === "GET" ? undefined : body, headersOf(form, method, attempt.key));
      if (answer === null) return;
      // After an error of the server nothing is known of what was done, either.
      attempt.isUnanswered = answer.status >= 500 || (attempt.isUnanswered && answer.said?.code === "idempotency_key_reused");
      if (!answer.ok) {
        await refuse(form, attempt.isUnanswered && answer.status < 500 ? { detail: texts.arrivedBefore } : answer.said, focus);
        form.dispatchEvent(new CustomEvent("refused", { bubbles: true, detail: answer.said }));
        return;
      }
      attempt = null;
      form.dispatchEvent(Object.assign(new CustomEvent("answered", { bubbles: true, detail: answer.said }), { sent: body, focus }));
      isLeaving = goOn(button?.dataset.then ?? form.dataset.then, answer.said, button?.dataset.done ?? form.dataset.done ?? texts.done);
    } catch {
      if (attempt) attempt.isUnanswered = true;
      showErrors(form, { detail: texts.unreachable }, focus);
    } finally {
      if (!isLeaving) form.removeAttribute("aria-busy");
    }
  });
}

async function refuse(form, problem, focus) {
  if (problem.code === "version_conflict" && form.dataset.ifMatch) {
    showErrors(form, { detail: await showMeanwhile(form, texts) }, focus);
  } else if (form.dataset.ended && ENDED.includes(problem.code)) {
    announceOnNextPage(texts.logInAgain);
    location.assign(form.dataset.ended);
  } else {
    showErrors(form, problem, focus);
  }
}

function headersOf(form, method, key) {
  const headers = {};
  if (method === "POST" && !form.hasAttribute("data-no-key")) headers["Idempotency-Key"] = key;
  if (form.dataset.ifMatch) headers["If-Match"] = quoted(form.dataset.ifMatch);
  return headers;
}

// A version as an ETag is written, whether or not the page wrote its quotes.
function quoted(version) {
  return version === "*" || version.includes('"') ? version : `"${version}"`;
}

// Without https there is no randomUUID.
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
}

// Whether the page is being left.
function goOn(then, said, done) {
  if (then === "none") return false;
  if (!then || then === "stay") { announce(done); return false; }
  announceOnNextPage(done);
  if (then === "reload") { location.reload(); return true; }
  const address = then.replace(/\{([\w.]+)\}/g, (_, member) => encodeURIComponent(get(said, member) ?? ""));
  const to = new URL(address, location.href);
  location.assign(to.origin === location.origin ? to : "/");
  return true;
}

class InputError extends Error {
  constructor(place, text) { super(text); this.place = place; }
}

export function bodyOf(form, button) {
  const body = {};
  for (const input of form.elements) {
    if (!input.name || input.disabled || input.type === "submit" || input.closest("[data-not-sent]")) continue;
    if (input.type === "radio" && !input.checked) continue;
    if (input.type === "checkbox" && input.dataset.type === "member") {
      if (input.checked) put(body, input.name, [...(get(body, input.name) ?? []), input.value]);
      else if (get(body, input.name) === undefined) put(body, input.name, []);
      continue;
    }
    const value = valueOf(input);
    if (value !== undefined) put(body, input.name, value);
  }
  if (button?.name) put(body, button.name, button.value);
  return form.hasAttribute("data-bare") ? Object.values(body)[0] : body;
}

function dayAfter(text) {
  const day = new Date(`${text}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString();
}

function valueOf(input) {
  const type = input.dataset.type ?? (input.type === "checkbox" ? "boolean" : input.type === "number" ? "number" : "text");
  if (type === "boolean") return input.type === "checkbox" ? input.checked : input.value === "true";
  if (input instanceof HTMLSelectElement && input.multiple) return [...input.selectedOptions].map((each) => each.value);
  const text = input.value;
  if (type === "list") return text.split("\n").map((each) => each.trim()).filter(Boolean);
  if (text === "" && !input.required) return "null" in input.dataset ? null : "empty" in input.dataset ? "" : undefined;
  if (type === "integer" || type === "number") return numberOf(input, text);
  if (type === "cents") return centsOf(input, text);
  if (type === "day") return `${text}T00:00:00Z`;
  if (type === "day-after") return dayAfter(text);
  if (type === "json") {
    try { return JSON.parse(text); } catch { throw new InputError(input.name, texts.unreadable); }
  }
  return text;
}

// Why what stands in the input cannot be sent; null where it can.
export function whyUnreadable(input) {
  try { valueOf(input); return null; } catch (error) { if (error instanceof InputError) return error.message; throw error; }
}

function numberOf(input, text) {
  const value = Number(text.replace(",", "."));
  if (text.trim() === "" || !Number.isFinite(value)) throw new InputError(input.name, texts.noNumber);
  return value;
}

// `12.5` with two digits is 1250: by its characters, since 1.15 * 100 is no whole number for a machine.
function centsOf(input, text) {
  const cents = minorUnits(text, Number(input.dataset.digits ?? 2));
  if (cents === null) throw new InputError(input.name, texts.noAmount);
  return cents;
}

// Null where the text is no amount with at most so many decimals.
export function minorUnits(text, digits) {
  const found = /^\s*(\d{1,12})(?:[.,](\d+))?\s*$/.exec(text);
  if (!found || (found[2] ?? "").length > digits) return null;
  return Number(found[1] + (found[2] ?? "").padEnd(digits, "0"));
}

function pathOf(name) {
  return name.split(name.includes("/") ? "/" : ".");
}

function get(body, name) {
  return pathOf(name).reduce((within, each) => within?.[each], body);
}

function put(body, name, value) {
  const path = pathOf(name);
  let within = body;
  for (const [place, each] of path.slice(0, -1).entries()) within = within[each] ??= /^\d+$/.test(path[place + 1]) ? [] : {};
  within[path.at(-1)] = value;
}

// A problem of the API, beside what it is about; null takes all of them away. `focus` is a `focusKeeper` of when it was asked.
export function showErrors(form, problem, focus = (element) => element?.focus?.()) {
  for (const each of form.querySelectorAll("[data-error-of]")) { each.hidden = true; each.textContent = ""; }
  for (const each of form.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  const general = form.querySelector(".form-error");
  if (general) general.hidden = true;
  if (problem === null) return;
  const unplaced = [];
  let first = null;
  for (const error of problem.errors ?? []) {
    const name = error.pointer.slice(1).replaceAll("/", ".");
    const place = placeNamed(form, error.pointer.slice(1)) ?? placeOf(form, name);
    if (!place) { unplaced.push(name ? `${name}: ${error.detail}` : error.detail); continue; }
    place.textContent = error.detail;
    place.hidden = false;
    const named = form.elements[place.dataset.errorOf];
    const input = named instanceof RadioNodeList ? named[0] : named;
    if (input instanceof Element) { input.setAttribute("aria-invalid", "true"); first ??= input; }
  }
  const ended = ENDED.includes(problem.code) && !form.closest(".plain");
  if (ended) unplaced.push(texts.sessionEnded);
  else if (!(problem.errors ?? []).length) unplaced.push(problem.detail);
  if (unplaced.length && general) { general.textContent = unplaced.join(" "); general.hidden = false; }
  else if (unplaced.length) announce(unplaced.join(" "));
  focus(first ?? (general?.hidden === false ? general : null));
}

// The place of a member, or of the nearest that it is within: `rules.2.value` at `rules`.
function placeOf(form, name) {
  for (let each = name; each; each = each.includes(".") ? each.slice(0, each.lastIndexOf(".")) : "") {
    const place = placeNamed(form, each);
    if (place) return place;
  }
  return null;
}

function placeNamed(form, name) {
  return form.querySelector(`[data-error-of="${CSS.escape(name)}"]`);
}

function closed(dialog) {
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "confirm"), { once: true }));
}

export async function confirmed(text, button) {
  const dialog = document.getElementById("confirm-dialog");
  dialog.querySelector("[data-dialog-text]").textContent = text;
  if (button?.textContent) dialog.querySelector("[data-dialog-button]").textContent = button.textContent.trim();
  dialog.returnValue = "";
  dialog.showModal();
  return closed(dialog);
}

async function stepUp() {
  const dialog = document.getElementById("step-up-dialog");
  const input = dialog.querySelector("input");
  const error = dialog.querySelector("[data-step-up-error]");
  error.hidden = true;
  for (;;) {
    input.value = "";
    dialog.returnValue = "";
    dialog.showModal();
    if (!(await closed(dialog))) return false;
    const answer = await callApi("POST", "/api/v1/session/step-up", { proof: input.value });
    if (answer.ok) return true;
    // A wrong code is answered like a session that is over (401), and is no reason to go on.
    if (ENDED.includes(answer.said.code)) return true; // the call itself says so
    error.textContent = answer.said.detail;
    error.hidden = false;
  }
}

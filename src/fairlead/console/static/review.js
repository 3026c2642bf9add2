// The review: one lead after the other, without a page between. What was decided is sent some seconds later, or when the
// page is left, so that it can be undone; what is shown next was asked for before.
import { callApi } from "./forms.js";
import { isTyping } from "./keys.js";
import { locale } from "./locale.js";

const UNDO_SECONDS = 5;
const AHEAD = 3;
const UNREACHED = Symbol("the part could not be loaded");

export function start(card) {
  const ids = JSON.parse(card.querySelector("[data-ids]").textContent);
  const place = card.querySelector("[data-place]");
  const reasonForm = card.querySelector("[data-reason]");
  const said = card.querySelector("[data-said]");
  const unreached = card.querySelector("[data-unreached]").content.firstElementChild;
  const undoButton = card.querySelector('[data-do="undo"]');
  const parts = new Map(); // by id: a promise of the part
  const decided = new Set(); // ids, also of what was decided elsewhere; a decision that is undone or refused is none
  let at = 0;
  let left = Number(card.dataset.count);
  let pending = []; // decided and not sent, the newest last
  let isAsking = false;

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

  function part(id) {
    if (!parts.has(id)) parts.set(id, load(id).catch(() => { parts.delete(id); return UNREACHED; }));
    return parts.get(id);
  }

  // Null is a lead that there is no more. Anything else but the lead, such as the login of a session that has ended, is
  // no answer about it.
  async function load(id) {
    const answer = await fetch(`/review/leads/${encodeURIComponent(id)}`, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (answer.status === 404) return null;
    const found = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("article");
    if (!found) throw new Error(`not loaded: ${answer.status}`);
    return document.adoptNode(found);
  }

  async function askForMore() {
    if (isAsking || at + AHEAD < ids.length) return;
    isAsking = true;
    try {
      const answer = await callApi("GET", "/api/v1/admin/pending-leads?limit=200");
      if (answer.ok) for (const each of answer.said.items) if (!ids.includes(each.lead_id)) ids.push(each.lead_id);
    } catch { /* the next step asks again */ } finally { isAsking = false; }
  }

  // `told` is what has to stay readable if the lead that comes next was decided elsewhere.
  async function show(told) {
    sayLeft();
    undoButton.hidden = pending.length === 0;
    reasonForm.hidden = true;
    while (decided.has(ids[at])) at += 1; // after going back
    if (at >= ids.length) await askForMore();
    const id = ids[at];
    const isOver = id === undefined;
    card.querySelector("[data-finished]").hidden = !isOver;
    place.hidden = isOver;
    for (const button of card.querySelectorAll(".review-bar [data-do]:not([data-do=undo])")) button.disabled = isOver;
    if (isOver) return;
    const shown = await part(id);
    if (ids[at] !== id) return;
    if (shown === UNREACHED) {
      if (told) say(told);
      place.replaceChildren(unreached);
      unreached.querySelector("button").focus({ preventScroll: true });
      return;
    }
    if (shown === null || (shown.dataset.status !== "pending_approval" && !pending.some((each) => each.id === id))) {
      say(told ?? card.dataset.gone);
      if (shown !== null) {
        decided.add(id);
        left = Math.max(0, left - 1);
      }
      at += 1;
      await show(told);
      return;
    }
    place.replaceChildren(shown);
    shown.querySelector("h2").focus({ preventScroll: true });
    for (const next of ids.slice(at + 1, at + 1 + AHEAD)) part(next);
    askForMore();
  }

  // The next lead may be on its way still, and one whose decision failed comes back: only what is seen is decided.
  function seenId() {
    const id = ids[at];
    return id !== undefined && !place.hidden && place.querySelector("article")?.dataset.lead === id ? id : undefined;
  }

  const say = (text) => { said.textContent = text; };

  function decide(verb, body) {
    const id = seenId();
    if (id === undefined) return;
    reasonForm.reset();
    const key = [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
    const decision = { id, at, verb, body, key };
    decision.timer = setTimeout(() => send(decision), UNDO_SECONDS * 1000);
    pending.push(decision);
    decided.add(id);
    say(fill(verb === "approve" ? card.dataset.approved : card.dataset.rejected, { seconds: UNDO_SECONDS }));
    at += 1;
    left = Math.max(0, left - 1);
    show();
  }

  async function send(decision) {
    clearTimeout(decision.timer);
    pending = pending.filter((each) => each !== decision);
    undoButton.hidden = pending.length === 0;
    const address = `/api/v1/admin/leads/${encodeURIComponent(decision.id)}/${decision.verb}`;
    const headers = { "Idempotency-Key": decision.key, Accept: "application/json" };
    if (decision.body) headers["Content-Type"] = "application/json";
    const options = { method: "POST", headers, credentials: "same-origin", keepalive: true }; // also when the page is left meanwhile
    if (decision.body) options.body = JSON.stringify(decision.body);
    let failure = null;
    try {
      const answer = await fetch(address, options);
      if (!answer.ok) failure = (await answer.json()).detail;
    } catch (error) {
      failure = error.message;
    }
    if (failure === null) return;
    comeBack(decision, `${card.dataset.failed} ${decision.id.slice(0, 13)}: ${failure}`);
  }

  // One whose decision failed is shown again: after the one that is looked at by now, whose reason may be half typed and
  // which the next key is meant for.
  async function comeBack({ id }, told) {
    say(told);
    parts.delete(id);
    const now = await part(id);
    if (now === null || (now !== UNREACHED && now.dataset.status !== "pending_approval")) return; // another person decided it
    decided.delete(id);
    ids.splice(seenId() === undefined ? at : at + 1, 0, id);
    left += 1;
    if (seenId() === undefined) await show(told);
    else sayLeft();
  }

  function sayLeft() {
    card.querySelector("[data-left-text]").textContent = fill(card.dataset.left, { count: left.toLocaleString(locale) });
  }

  function undo() {
    const last = pending.pop();
    if (!last) { say(card.dataset.tooLate); return; }
    clearTimeout(last.timer);
    decided.delete(last.id);
    at = last.at;
    left += 1;
    say(card.dataset.undone);
    show();
  }

  // Back to the lead before that is not decided; forward past those that are.
  function back() {
    let earlier = at - 1;
    while (earlier >= 0 && decided.has(ids[earlier])) earlier -= 1;
    if (earlier < 0) { say(card.dataset.first); return; }
    at = earlier;
    say("");
    show();
  }

  const verbs = {
    approve: () => decide("approve"),
    reject: () => { if (seenId() === undefined) return; reasonForm.hidden = false; reasonForm.elements.reason.focus(); },
    cancel: () => { reasonForm.hidden = true; place.querySelector("h2")?.focus({ preventScroll: true }); },
    skip: () => { if (seenId() !== undefined || unreached.isConnected) { at += 1; say(""); show(); } },
    again: () => { say(""); show(); },
    back,
    undo,
  };
  card.addEventListener("click", (event) => verbs[event.target.closest("[data-do]")?.dataset.do]?.());
  reasonForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const reason = reasonForm.elements.reason.value.trim();
    if (reason) decide("reject", { reason });
  });
  reasonForm.addEventListener("keydown", (event) => { if (event.key === "Escape") verbs.cancel(); });
  document.addEventListener("keydown", (event) => {
    if (isTyping(event) || event.repeat) return;
    const verb = { a: "approve", r: "reject", s: "skip", j: "skip", k: "back", u: "undo" }[event.key];
    if (verb) { event.preventDefault(); verbs[verb](); }
  });
  const sendAll = () => { for (const each of [...pending]) send(each); };
  addEventListener("pagehide", sendAll);
  // A telephone may end a hidden page without saying so.
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") sendAll(); });
  parts.set(ids[0], Promise.resolve(place.querySelector("article")));
  for (const next of ids.slice(1, 1 + AHEAD)) part(next);
}

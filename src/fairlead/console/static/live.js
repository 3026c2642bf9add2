// The live feed of the API, in lanes. A message that was seen before is passed over, so that nothing is there twice.
import { connectLive } from "./live-connection.js";
import { locale } from "./locale.js";

const MOST_ROWS = 30;
const MOST_HELD = 2_000;
const MOST_SEEN = 5_000;

export function start(root) {
  const texts = root.dataset;
  const language = locale;
  const names = JSON.parse(texts.names); // of niches, by slug
  const amounts = new Intl.NumberFormat(language, { style: "currency", currency: texts.currency });
  const digits = amounts.resolvedOptions().maximumFractionDigits;
  const ages = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const state = root.querySelector("[data-state]");
  const heldText = root.querySelector("[data-held-text]");
  const pauseButton = root.querySelector("[data-pause-button]");
  const lanes = root.querySelector("[data-lanes]");
  const seen = new Set();
  const decisions = new Map(); // by lead: its newest decision that is shown
  let held = [];
  let isPaused = false;

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const money = (cents) => amounts.format(cents / 10 ** digits);
  const sayState = (text, tone) => { state.textContent = text; state.className = `live-state text-${tone}`; };

  function take(message) {
    sayState(texts.connected, "ok");
    if (message.type === "gap") { const notice = root.querySelector("[data-gap-notice]"); notice.textContent = texts.gap; notice.hidden = false; return; }
    if (!["decision.recorded", "assignment.created", "job.failed"].includes(message.type) || seen.has(message.id)) return;
    seen.add(message.id);
    if (seen.size > MOST_SEEN) seen.delete(seen.values().next().value);
    if (!isPaused) { show(message); return; }
    held.push(message);
    if (held.length > MOST_HELD) held.shift();
    sayHeld();
  }

  function sayHeld() {
    const count = held.filter((each) => each.type !== "assignment.created").length;
    heldText.textContent = count ? fill(texts.held, { count: count.toLocaleString(language) }) : "";
  }

  function laneOf(niche) {
    const known = [...lanes.children].find((each) => each.dataset.niche === niche);
    if (known) return known;
    const lane = document.importNode(root.querySelector("template[data-lane]").content, true).querySelector("section");
    lane.dataset.niche = niche;
    lane.setAttribute("aria-label", names[niche] ?? niche);
    lane.querySelector("[data-name]").textContent = names[niche] ?? niche;
    lanes.append(lane);
    return lane;
  }

  function show(message) {
    if (message.type === "assignment.created") { addAssignment(message); return; }
    const lane = laneOf(message.niche);
    const row = document.createElement("li");
    row.className = "lane-row";
    const link = Object.assign(document.createElement("a"), { href: `/leads/${encodeURIComponent(message.lead_id)}`, textContent: fill(texts.lead, { id: `${message.lead_id.slice(0, 8)}…${message.lead_id.slice(-4)}` }) });
    const what = Object.assign(document.createElement("span"), { className: "lane-what" });
    const when = Object.assign(document.createElement("time"), { className: "lane-when", dateTime: message.at });
    row.append(link, what, when);
    row.dataset.message = message.id;
    lane.querySelector("ol").prepend(row);
    lane.querySelector(".lane-empty").hidden = true;
    while (lane.querySelector("ol").children.length > MOST_ROWS) lane.querySelector("ol").lastElementChild.remove();
    if (message.type === "job.failed") { what.textContent = texts.failed; row.classList.add("is-failed"); } else {
      const decision = { lane, row, what, count: 0, cents: 0 };
      decisions.set(message.lead_id, decision);
      if (decisions.size > MOST_SEEN) decisions.delete(decisions.keys().next().value);
      lane.dataset.decisions = Number(lane.dataset.decisions ?? 0) + 1;
      sayDecision(decision);
    }
    sayTotal(lane);
    sayAge(when);
  }

  function addAssignment(message) {
    const decision = decisions.get(message.lead_id);
    const lane = decision?.lane ?? laneOf(message.niche);
    lane.dataset.cents = Number(lane.dataset.cents ?? 0) + message.price_cents;
    sayTotal(lane);
    if (!decision) return;
    decision.count += 1;
    decision.cents += message.price_cents;
    sayDecision(decision);
  }

  function sayDecision({ row, what, count, cents }) {
    what.textContent = count ? fill(count === 1 ? texts.soldOne : texts.sold, { count, amount: money(cents) }) : texts.unsold;
    row.classList.toggle("is-sold", count > 0);
  }

  function sayTotal(lane) {
    const decisions = Number(lane.dataset.decisions ?? 0);
    lane.querySelector("[data-total]").textContent = fill(decisions === 1 ? texts.totalOne : texts.total, { decisions: decisions.toLocaleString(language), amount: money(Number(lane.dataset.cents ?? 0)) });
  }

  function sayAge(when) {
    const seconds = Math.round((Date.parse(when.dateTime) - Date.now()) / 1000);
    const [value, unit] = seconds > -60 ? [Math.min(0, seconds), "second"] : seconds > -3600 ? [Math.round(seconds / 60), "minute"] : [Math.round(seconds / 3600), "hour"];
    when.textContent = ages.format(value, unit);
  }

  pauseButton.addEventListener("click", () => {
    isPaused = !isPaused;
    pauseButton.setAttribute("aria-pressed", String(isPaused));
    pauseButton.querySelector("span").textContent = isPaused ? texts.resume : texts.pause;
    if (isPaused) return;
    for (const message of held) show(message);
    held = [];
    sayHeld();
  });
  setInterval(() => { for (const when of lanes.querySelectorAll("time")) sayAge(when); }, 1_000);
  connectLive({
    take,
    lost: (seconds) => sayState(fill(texts.lost, { seconds }), "bad"),
    ended: () => sayState(texts.ended, "bad"),
  });
}

// A week that is painted: seven rows of half hours, by pointer or keyboard, and exact hours beside it. The schedule stands
// as JSON in a hidden input of the form that sends it. Until hours are painted, those that it had are sent as they were.
// What can be typed or chosen before this is loaded comes from the server and is read here, never set.
import { instantOf } from "./local-time.js";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY = 1440;
const WEEK = 7 * DAY;
const CELL = 30;
const CELLS = DAY / CELL;

export function start(element) {
  const part = (name) => element.querySelector(`[data-${name}]`);
  const { schedule, timezone, days, regions } = JSON.parse(part("editor").textContent);
  const texts = part("texts").dataset;
  const open = schedule.weekly ? minutesOf(schedule.weekly) : new Uint8Array(WEEK).fill(1);
  let isPainted = false;
  let painting = null; // what is painted now: 1 opens, 0 closes
  const cells = DAYS.map((_, day) => Array.from({ length: CELLS }, (_, number) => cellOf(day, number)));

  part("grid").append(headOfHours(), ...cells.map((row, day) => rowOf(row, day)));
  cells[0][18].tabIndex = 0;
  part("days").append(...days.map((name, day) => dayBox(name, day)));
  offerRegions();
  part("country").addEventListener("change", offerRegions);
  element.addEventListener("input", write);
  part("grid").addEventListener("pointerdown", (event) => begin(event));
  part("grid").addEventListener("pointermove", (event) => goOn(event));
  for (const ending of ["pointerup", "pointercancel"]) window.addEventListener(ending, () => { painting = null; });
  part("grid").addEventListener("keydown", move);
  for (const button of element.querySelectorAll("[data-fill]")) button.addEventListener("click", () => fill(button.dataset.fill));
  part("open").addEventListener("click", () => exact(1));
  part("close").addEventListener("click", () => exact(0));
  show();

  function cellOf(day, number) {
    const cell = document.createElement("div");
    cell.className = "week-cell";
    cell.setAttribute("role", "gridcell");
    cell.tabIndex = -1;
    cell.dataset.day = day;
    cell.dataset.number = number;
    return cell;
  }

  function rowOf(row, day) {
    const element = document.createElement("div");
    element.className = "week-row";
    element.setAttribute("role", "row");
    const head = document.createElement("div");
    head.className = "week-name";
    head.setAttribute("role", "rowheader");
    head.textContent = days[day];
    element.append(head, ...row);
    return element;
  }

  function headOfHours() {
    const row = document.createElement("div");
    row.className = "week-row week-hours";
    row.setAttribute("aria-hidden", "true");
    row.append(document.createElement("span"), ...[0, 6, 12, 18].map((hour) => Object.assign(document.createElement("span"), { textContent: `${hour}`.padStart(2, "0") })));
    return row;
  }

  function dayBox(name, day) {
    const label = document.createElement("label");
    label.className = "check";
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: `${day}`, checked: day < 5 });
    label.append(box, name);
    return label;
  }

  // Those of the country; another country has other ones.
  function offerRegions() {
    const [whole, ...offered] = part("region").options;
    const codes = regions[part("country").value] ?? [];
    if (codes.join() === offered.map((each) => each.value).join()) return;
    part("region").replaceChildren(whole, ...codes.map((code) => new Option(code, code)));
    part("region").value = "";
  }

  // Painting ----------------------------------------------------------------------------------------------------------

  function begin(event) {
    const cell = event.target.closest(".week-cell");
    if (!cell || event.button !== 0) return;
    event.preventDefault();
    event.target.releasePointerCapture?.(event.pointerId); // a finger, too, goes on over other cells
    painting = isOpen(cell) === 2 ? 0 : 1;
    focus(cell);
    paint(cell, painting);
  }

  function goOn(event) {
    if (painting === null) return;
    const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest(".week-cell");
    if (cell && part("grid").contains(cell)) paint(cell, painting);
  }

  function move(event) {
    const cell = event.target.closest(".week-cell");
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -CELLS], End: [0, CELLS] }[event.key];
    if (!cell) return;
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      paint(cell, isOpen(cell) === 2 ? 0 : 1);
    } else if (step) {
      event.preventDefault();
      const [day, number] = [Number(cell.dataset.day) + step[0], Number(cell.dataset.number) + step[1]];
      const next = cells[Math.min(6, Math.max(0, day))][Math.min(CELLS - 1, Math.max(0, number))];
      if (event.shiftKey) paint(next, isOpen(cell) === 2 ? 1 : 0);
      focus(next);
    }
  }

  function focus(cell) {
    for (const row of cells) for (const each of row) each.tabIndex = -1;
    cell.tabIndex = 0;
    cell.focus();
  }

  function paint(cell, value) {
    const first = Number(cell.dataset.day) * DAY + Number(cell.dataset.number) * CELL;
    open.fill(value, first, first + CELL);
    painted();
  }

  function fill(name) {
    open.fill(name === "all" ? 1 : 0);
    if (name === "office") for (let day = 0; day < 5; day++) open.fill(1, day * DAY + 9 * 60, day * DAY + 17 * 60);
    painted();
  }

  function exact(value) {
    const [from, to] = [minuteOf(part("from").value), minuteOf(part("to").value)];
    if (Number.isNaN(from) || Number.isNaN(to)) return;
    const length = (to > from ? to : to + DAY) - from;
    for (const box of part("days").querySelectorAll("input")) {
      if (!box.checked) continue;
      for (let minute = 0; minute < length; minute++) open[(Number(box.value) * DAY + from + minute) % WEEK] = value;
    }
    painted();
  }

  function painted() {
    isPainted = true;
    show();
  }

  // 0 closed, 1 partly open, 2 open
  function isOpen(cell) {
    const first = Number(cell.dataset.day) * DAY + Number(cell.dataset.number) * CELL;
    const count = open.subarray(first, first + CELL).reduce((sum, each) => sum + each, 0);
    return count === CELL ? 2 : count ? 1 : 0;
  }

  function show() {
    for (const row of cells) for (const cell of row) {
      const state = isOpen(cell);
      const text = [texts.wordClosed, texts.wordPartly, texts.wordOpen][state];
      cell.classList.toggle("is-open", state === 2);
      cell.classList.toggle("is-partly", state === 1);
      cell.setAttribute("aria-selected", String(state > 0));
      cell.setAttribute("aria-label", `${days[cell.dataset.day]} ${textOf(cell.dataset.number * CELL)}, ${text}`);
    }
    part("table").replaceChildren(...days.map((name, day) => {
      const row = document.createElement("tr");
      const head = Object.assign(document.createElement("th"), { scope: "row", textContent: name });
      const spans = spansOf(open).filter((each) => each.day === day).map((each) => `${each.opens}–${each.closes}`);
      row.append(head, Object.assign(document.createElement("td"), { textContent: spans.join(", ") || texts.wordClosed }));
      return row;
    }));
    write();
  }

  // The document ------------------------------------------------------------------------------------------------------

  function write() {
    const written = {};
    const weekly = isPainted ? weeklyOf(open) : schedule.weekly;
    if (weekly) written.weekly = weekly;
    const dates = part("dates").value.split("\n").map((each) => each.trim()).filter(Boolean).map(dateOf);
    if (dates.length) written.dates_off = dates;
    if (part("country").value) written.holidays = { country: part("country").value, ...(part("region").value ? { region: part("region").value } : {}) };
    const paused = part("paused");
    const until = paused.value === paused.defaultValue ? schedule.paused_until : paused.value && instantOf(paused.value, timezone);
    if (until) written.paused_until = until;
    part("document").value = JSON.stringify(written);
  }
}

// A line as it is sent: what is no date is sent as it is, so that the API says so.
function dateOf(line) {
  const found = /^(\S+)\s+\S+\s+(\S+)$/.exec(line);
  return found ? { from: found[1], to: found[2] } : line;
}

function minuteOf(text) {
  const [hours, minutes] = text.split(":").map(Number);
  return hours * 60 + minutes;
}

function textOf(minute) {
  return `${Math.floor(minute / 60)}`.padStart(2, "0") + ":" + `${minute % 60}`.padStart(2, "0");
}

function minutesOf(weekly) {
  const open = new Uint8Array(WEEK);
  for (const span of weekly) {
    const [opens, closes] = [minuteOf(span.opens), minuteOf(span.closes)];
    const length = (closes > opens ? closes : closes + DAY) - opens;
    for (const day of span.days) for (let minute = 0; minute < length; minute++) open[(DAYS.indexOf(day) * DAY + opens + minute) % WEEK] = 1;
  }
  return open;
}

// Each span belongs to the day on which it begins. A night stays one span; what is longer than a day is parted at midnight.
function spansOf(open) {
  if (open.every(Boolean)) return DAYS.map((_, day) => ({ day, opens: "00:00", closes: "24:00" }));
  const spans = [];
  const begins = open.findIndex((each, minute) => each && !open[(minute + WEEK - 1) % WEEK]);
  if (begins < 0) return spans;
  for (let minute = begins; minute < begins + WEEK;) {
    if (!open[minute % WEEK]) { minute++; continue; }
    let ends = minute;
    while (open[ends % WEEK]) ends++;
    spans.push(...parted(minute, ends));
    minute = ends;
  }
  return spans.sort((one, other) => one.day - other.day || one.opens.localeCompare(other.opens));
}

function parted(first, last) {
  const midnight = (Math.floor(first / DAY) + 1) * DAY;
  const isOne = last <= midnight || (last - midnight <= first % DAY && last - midnight < DAY);
  const end = isOne ? last : midnight;
  const span = { day: Math.floor(first / DAY) % 7, opens: textOf(first % DAY), closes: end % DAY ? textOf(end % DAY) : "24:00" };
  return isOne ? [span] : [span, ...parted(midnight, last)];
}

// Undefined where every hour is open: then a schedule needs no hours. Days with the same hours are one span.
function weeklyOf(open) {
  if (open.every(Boolean)) return undefined;
  const byHours = new Map();
  for (const { day, opens, closes } of spansOf(open)) {
    const known = byHours.get(opens + closes) ?? { days: [], opens, closes };
    known.days.push(DAYS[day]);
    byHours.set(opens + closes, known);
  }
  return [...byHours.values()];
}

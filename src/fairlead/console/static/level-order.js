// The levels of a niche in another order: by dragging, by the buttons that a keyboard reaches, or by Alt and an arrow
// within a row. Each move is announced. Saved by its form.
import { announce } from "./announcements.js";

export function start(form) {
  const list = form.querySelector("ol");
  let dragged = null;
  const changed = () => { form.querySelector("[data-order-changed]").hidden = false; };
  function move(row, down) {
    const other = down ? row.nextElementSibling : row.previousElementSibling;
    if (!other) return;
    if (down) other.after(row); else other.before(row);
    changed();
    announce(list.dataset.moved.replace("{name}", row.dataset.level).replace("{place}", [...list.children].indexOf(row) + 1).replace("{count}", list.children.length));
  }
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-moves]");
    if (!button) return;
    move(button.closest("[data-level]"), button.dataset.moves === "1");
    button.focus();
  });
  list.addEventListener("keydown", (event) => {
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const focused = document.activeElement;
    event.preventDefault();
    move(event.target.closest("[data-level]"), event.key === "ArrowDown");
    focused.focus();
  });
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-level]");
    event.dataTransfer.effectAllowed = "move";
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-level]");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    if (event.clientY > box.top + box.height / 2) over.after(dragged); else over.before(dragged);
    changed();
  });
  list.addEventListener("dragend", () => { dragged = null; });
}

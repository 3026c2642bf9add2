// The levels of a niche in another order: by dragging, or by the buttons that a keyboard reaches. Saved by its form.
export function start(form) {
  const list = form.querySelector("ol");
  let dragged = null;
  const changed = () => { form.querySelector("[data-order-changed]").hidden = false; };
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-moves]");
    if (!button) return;
    const row = button.closest("[data-level]");
    const other = button.dataset.moves === "1" ? row.nextElementSibling : row.previousElementSibling;
    if (!other) return;
    if (button.dataset.moves === "1") other.after(row); else other.before(row);
    changed();
    button.focus();
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

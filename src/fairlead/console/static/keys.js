// Keys that work on every page: `/` searches, `j` and `k` go through a table's rows, Enter opens one, `x` selects it, `X` all from
// the one before, `?` shows them.
export function isTyping(event) {
  // A dialog that was just closed has the focus until the page is drawn again.
  return event.target.closest("input, textarea, select, [contenteditable], dialog[open]") !== null || event.ctrlKey || event.metaKey || event.altKey;
}

export function watchKeys() {
  const shown = document.getElementById("keys-dialog");
  document.querySelector("[data-shows-keys]")?.addEventListener("click", () => shown.showModal());
  document.addEventListener("keydown", (event) => {
    if (isTyping(event)) return;
    if (event.key === "/") {
      const search = document.getElementById("search");
      if (search) { event.preventDefault(); search.focus(); }
    } else if (event.key === "?" && shown) {
      event.preventDefault();
      shown.showModal();
    } else if (event.key === "j" || event.key === "k") {
      move(event.key === "j" ? 1 : -1);
    } else if (event.key === "x" || event.key === "X") {
      // With shift: all from the one before to this one.
      document.activeElement.closest("tr")?.querySelector("input[type=checkbox]")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
    }
  });
}

// Rows are reached by their first link.
function move(step) {
  const links = [...document.querySelectorAll("table[data-rows] tbody tr")].map((row) => row.querySelector("a[href]")).filter(Boolean);
  if (!links.length) return;
  const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  links[Math.min(links.length - 1, Math.max(0, at + step))].focus();
}

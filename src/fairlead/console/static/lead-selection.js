// What is selected in the list, and what approving or rejecting that would do, before it is done.
export function start(card) {
  const form = card.querySelector("form");
  const boxes = [...document.querySelectorAll('input[name="lead_ids"]')];
  const buttons = [...form.querySelectorAll("button[data-says]")];
  const reason = form.querySelector('[name="reason"]');
  const selected = form.querySelector("[data-selected]");
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const update = () => {
    const chosen = boxes.filter((box) => box.checked);
    card.hidden = chosen.length === 0;
    selected.textContent = fill(selected.dataset.selected, { all: chosen.length });
    for (const box of boxes) box.closest("tr").setAttribute("aria-selected", String(box.checked));
    for (const button of buttons) {
      const count = chosen.filter((box) => button.dataset.counts.split(" ").includes(box.dataset.status)).length;
      button.dataset.confirm = fill(button.dataset.says, { count, all: chosen.length });
      button.disabled = count === 0;
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const isReject = "needsReason" in button.dataset;
      reason.disabled = !isReject;
      reason.required = isReject;
      setTimeout(() => { reason.disabled = false; reason.required = false; });
    });
  }
  form.addEventListener("answered", (event) => {
    const { done_count: done, items } = event.detail;
    const refused = [...new Set(items.filter((each) => each.detail).map((each) => each.detail))].slice(0, 3).join(" ");
    form.dataset.done = fill(form.dataset.results, { done, all: items.length, refused });
  });
  for (const box of boxes) box.addEventListener("change", update);
  update();
}

const held = new Map();

// A button of a part that is pressed before the part's script is there is pressed again when it is.
export function holdPresses() {
  addEventListener("click", (event) => {
    const button = event.target.closest?.("button[type='button']");
    const part = button?.closest("[data-module]:not([data-started])");
    if (!part) return;
    event.stopImmediatePropagation();
    held.set(part, [...held.get(part) ?? [], button]);
  }, true);
}

// Scripts of single parts: <main data-module="live.js">. They come after the page's load event, so an attribute says that one is
// there, to tests that press keys faster than a person. Resolves when those of the part and within it have started.
export function startModules(part) {
  const elements = [...part.querySelectorAll("[data-module]")];
  if (part.matches?.("[data-module]")) elements.unshift(part);
  return Promise.all(elements.map(async (each) => {
    const script = await import(`./${each.dataset.module}`);
    script.start(each);
    each.dataset.started = "";
    for (const button of held.get(each) ?? []) button.click();
    held.delete(each);
  }));
}

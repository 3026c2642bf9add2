// A form that is done gives its place to what comes next, which stands hidden beside it with `data-afterwards`.
export function start(element) {
  element.querySelector("form").addEventListener("answered", (event) => {
    const next = element.querySelector("[data-afterwards]");
    event.target.closest("[data-before]").hidden = true;
    next.hidden = false;
    next.focus();
  });
}

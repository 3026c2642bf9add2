// `#report` in the address opens the part of the page with that id.
export function start() {
  const open = (focus) => {
    const part = document.getElementById(location.hash.slice(1));
    if (!(part instanceof HTMLDetailsElement)) return;
    part.open = true;
    part.scrollIntoView({ block: "nearest" });
    focus(part.querySelector("input, select, textarea"));
  };
  addEventListener("hashchange", () => open((element) => element?.focus()));
  open((element) => { if (document.activeElement === document.body) element?.focus(); }); // else something is being typed already
}

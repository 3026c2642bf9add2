// `#report` in the address opens the part of the page with that id.
export function start() {
  const open = () => {
    const part = document.getElementById(location.hash.slice(1));
    if (!(part instanceof HTMLDetailsElement)) return;
    part.open = true;
    part.scrollIntoView({ block: "nearest" });
    part.querySelector("input, select, textarea")?.focus();
  };
  addEventListener("hashchange", open);
  open();
}

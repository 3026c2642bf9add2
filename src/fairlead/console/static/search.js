// The search of the header. What is looked for may be personal: it is kept in this window and never in an address.
const KEPT = "search";

export function start(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.querySelector("input").value.trim();
    if (!text) return;
    sessionStorage.setItem(KEPT, text);
    if (location.pathname === "/leads") document.dispatchEvent(new CustomEvent("search"));
    else location.assign("/leads");
  });
}

// What was looked for, once.
export function takeSearch() {
  const text = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  return text;
}

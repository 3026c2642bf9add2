// Short messages in the corner, read aloud: what a form did, also on the page that comes after it.
const KEPT = "announcement";

export function announce(text) {
  if (!text) return;
  const shown = document.createElement("div");
  shown.className = "announcement";
  shown.textContent = text;
  document.getElementById("announcements").append(shown);
  setTimeout(() => shown.remove(), 8_000);
}

export function announceOnNextPage(text) {
  sessionStorage.setItem(KEPT, text);
}

export function announceKept() {
  const text = sessionStorage.getItem(KEPT);
  if (!text) return;
  sessionStorage.removeItem(KEPT);
  announce(text);
}

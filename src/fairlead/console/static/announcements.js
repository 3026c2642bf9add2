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
  const text = takeKept();
  if (text) announce(text);
}

// Inside a frame of another site browsers refuse the storage itself.
function takeKept() {
  try {
    const text = sessionStorage.getItem(KEPT);
    sessionStorage.removeItem(KEPT);
    return text;
  } catch {
    return null;
  }
}

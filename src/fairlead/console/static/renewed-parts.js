// A page whose parts follow what happens: after something committed the page is asked for again, and each part of it that
// differs takes the place of the one that is shown. A part that is being used (focus in it, the pointer on it, something
// opened in it) waits, so that nothing moves under a hand.
import { connectLive } from "./live-connection.js";

const PAUSE_MILLISECONDS = 5_000;

export function start(root) {
  const state = root.querySelector("[data-live-state]");
  const texts = root.dataset;
  let isDue = false;
  let isAsking = false;
  const say = (text, tone) => { state.textContent = text; state.className = `live-state text-${tone}`; };

  async function renew() {
    if (!isDue || isAsking || document.hidden) return;
    isDue = false;
    isAsking = true;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" }).catch(() => null);
    isAsking = false;
    if (!answer?.ok || answer.redirected) { isDue = true; return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of root.querySelectorAll("[data-renewed]")) {
      const newer = page.querySelector(`[data-renewed="${part.dataset.renewed}"]`);
      if (!newer || newer.isEqualNode(part)) continue;
      if (isInUse(part)) { isDue = true; continue; }
      part.replaceWith(document.importNode(newer, true));
    }
  }

  connectLive({
    take: (message) => { say(texts.connected, "ok"); if (message.type !== "ready") isDue = true; },
    lost: (seconds) => say(texts.lost.replace("{seconds}", seconds), "bad"),
    ended: () => say(texts.ended, "bad"),
  });
  setInterval(renew, PAUSE_MILLISECONDS);
}

const isInUse = (part) => part.contains(document.activeElement) || part.matches(":hover") || part.querySelector("details[open]") !== null;

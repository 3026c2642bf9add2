// A page whose parts follow what happens: after something committed the page is asked for again, and each part of it that
// differs takes the place of the one that is shown. A part that is being used (focus in it, the pointer on it, something
// opened in it) waits, so that nothing moves under a hand; and all of them wait for a dialog, which gives the focus back.
import { connectLive } from "./live-connection.js";
import { renewParts } from "./newer-parts.js";

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
    const { answer, waiting } = await renewParts((part) => !isInUse(part));
    isAsking = false;
    if (waiting || !answer?.ok || answer.redirected) isDue = true;
  }

  connectLive({
    take: (message) => { say(texts.connected, "ok"); if (message.type !== "ready") isDue = true; },
    lost: (seconds) => say(texts.lost.replace("{seconds}", seconds), "bad"),
    ended: () => say(texts.ended, "bad"),
  });
  setInterval(renew, PAUSE_MILLISECONDS);
}

const isInUse = (part) => document.querySelector("dialog[open]") !== null || part.contains(document.activeElement) || part.matches(":hover") || part.querySelector("details[open]") !== null;

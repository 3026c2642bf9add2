// A verification under way: how far it is, and when it has ended, the parts of the page that tell of proofs as they are then.
import { announce } from "./announcements.js";
import { callApi } from "./forms.js";
import { locale } from "./locale.js";
import { renewParts } from "./newer-parts.js";

const PAUSE_MILLISECONDS = 2000;

export function start(root) {
  const form = root.querySelector("form");
  form?.addEventListener("answered", (event) => watch(root, event.detail.verification_id));
  if (root.dataset.verification) watch(root, root.dataset.verification);
}

async function watch(root, verificationId) {
  const form = root.querySelector("form");
  const shown = root.querySelector("[data-progress]");
  const bar = shown.querySelector("progress");
  const at = shown.querySelector("[data-at]");
  if (form) form.hidden = true;
  shown.hidden = false;
  while (root.isConnected) { // else a newer part has its place
    const answer = await callApi("GET", `/api/v1/admin/verifications/${verificationId}`).catch(() => null);
    if (answer?.ok && answer.said.ended_at) {
      await renewParts((part) => part.dataset.renewed.startsWith("proof"));
      if (!root.isConnected) {
        if (answer.said.error) announce(root.dataset.failed);
        return;
      }
    }
    if (answer?.ok) show(bar, at, answer.said, root.dataset.waits);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
  }
}

function show(bar, at, said, waits) {
  if (!said.progress) {
    if (!said.started_at) at.textContent = waits;
    return;
  }
  const { what, done, total } = said.progress;
  bar.max = total;
  bar.value = done;
  const count = new Intl.NumberFormat(locale);
  at.textContent = `${what}: ${count.format(done)} / ${count.format(total)}`;
}

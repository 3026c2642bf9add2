// A verification under way: how far it is, and the page anew when it has ended.
import { announceOnNextPage } from "./announcements.js";
import { callApi } from "./forms.js";

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
  for (;;) {
    const answer = await callApi("GET", `/api/v1/admin/verifications/${verificationId}`).catch(() => null);
    if (answer?.ok && answer.said.ended_at) {
      if (answer.said.error) announceOnNextPage(root.dataset.failed);
      location.reload();
      return;
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
  const count = new Intl.NumberFormat(document.documentElement.lang);
  at.textContent = `${what}: ${count.format(done)} / ${count.format(total)}`;
}

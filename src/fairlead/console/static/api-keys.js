// A provider's API keys: the API shows and changes them after a fresh proof of who it is, so the page does not hold them.
import { announce } from "./announcements.js";
import { callWithStepUp, confirmed } from "./forms.js";
import { locale } from "./locale.js";
import { newestAnswer } from "./newest-answer.js";

const ADDRESS = "/api/v1/provider/keys";

export function start(element) {
  const part = (name) => element.querySelector(`[data-${name}]`);
  const texts = part("texts").dataset;
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });

  const ask = newestAnswer();

  part("show").addEventListener("click", show);
  document.addEventListener("answered", (event) => { if (event.target.dataset.api === `POST ${ADDRESS}`) show(); });

  async function show() {
    const asked = ask();
    const had = document.activeElement; // the focus
    const keys = [];
    let cursor = null;
    do {
      const answer = await call("GET", ADDRESS + (cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""));
      if (!answer || !asked.isNewest()) return;
      keys.push(...answer.said.items);
      cursor = answer.said.next_cursor;
    } while (cursor);
    part("rows").replaceChildren(...keys.map(rowOf));
    part("table").hidden = keys.length === 0;
    part("none").hidden = keys.length > 0;
    part("show").hidden = true;
    if (had === part("show") || !had.isConnected) asked.focus(part(keys.length ? "table" : "none"));
  }

  function rowOf(key) {
    const row = part("row").content.cloneNode(true);
    const put = (name, text) => { row.querySelector(`[data-cell="${name}"]`).textContent = text; };
    put("name", key.name);
    put("prefix", `${key.prefix}…`);
    put("scopes", key.scopes.includes("own:write") ? texts.write : texts.read);
    put("used", key.last_used_at ? date.format(new Date(key.last_used_at)) : texts.never);
    put("expires", key.expires_at ? date.format(new Date(key.expires_at)) : texts.never);
    const button = row.querySelector("button");
    button.addEventListener("click", async () => {
      if (!(await confirmed(texts.confirm.replace("{name}", key.name), button))) return;
      if (await call("DELETE", `${ADDRESS}/${key.key_id}`)) { announce(texts.revoked); show(); }
    });
    return row;
  }

  // The answer; null where it was none, which is said, or where no proof was given.
  async function call(method, address) {
    const answer = await callWithStepUp(method, address).catch(() => ({ ok: false, said: { detail: texts.unreachable } }));
    if (answer && !answer.ok) announce(answer.said.detail);
    return answer?.ok ? answer : null;
  }
}

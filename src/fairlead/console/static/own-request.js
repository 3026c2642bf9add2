// A consumer's request: the token of the mail's link stands behind the `#`. It is taken out of the address bar, so that it
// stays in no picture of the screen, and kept for as long as this page is open.
import { callApi } from "./forms.js";
import { locale } from "./locale.js";

const texts = document.getElementById("script-texts").dataset;

export async function start(element) {
  const part = (name) => element.querySelector(`[data-${name}]`);
  const form = element.querySelector("form:not([data-erasure])");
  const erasure = part("erasure");
  const token = location.hash.slice(1) || history.state?.token;
  const moments = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short" });
  if (!token) {
    part("asking").hidden = true;
    part("incomplete").hidden = false;
    return;
  }
  history.replaceState({ token }, "", location.pathname + location.search);
  form.elements.token.value = token;
  erasure.elements.token.value = token;
  erasure.addEventListener("answered", ({ detail }) => {
    history.replaceState(null, "", location.pathname + location.search); // the link leads nowhere any more
    part("shown").hidden = true;
    part("erased-sold").hidden = !detail.was_passed_on;
    part("erased").hidden = false;
    part("erased").focus();
  });
  form.addEventListener("answered", async () => { await look(); part("shown").focus(); });
  await look();

  async function look() {
    const answer = await callApi("POST", "/api/v1/public/leads/state", { token }).catch(() => null);
    part("asking").hidden = true;
    part("failed").hidden = Boolean(answer?.ok);
    part("failed").textContent = answer?.ok ? "" : answer?.said?.detail ?? texts.unreachable;
    part("shown").hidden = !answer?.ok;
    if (answer?.ok) show(answer.said);
  }

  function show(request) {
    part("niche").textContent = request.niche_name;
    part("sent").dateTime = request.sent_at;
    part("sent").textContent = moments.format(new Date(request.sent_at));
    for (const each of element.querySelectorAll("[data-state]")) each.hidden = each.dataset.state !== request.state;
    const isSold = request.recipients.length > 0;
    part("recipients").replaceChildren(...request.recipients.map(companyOf));
    part("too-late").hidden = !(isSold && request.withdrawn_at);
    form.dataset.confirm = isSold ? form.dataset.confirmSold : form.dataset.confirmUnsold;
    form.hidden = !request.may_withdraw;
    erasure.dataset.confirm = isSold ? erasure.dataset.confirmSold : erasure.dataset.confirmUnsold;
  }

  function companyOf({ name, email, received_at: at }) {
    const item = document.createElement("li");
    const who = document.createElement("strong");
    who.textContent = name;
    const address = document.createElement("a");
    address.href = `mailto:${email}`;
    address.textContent = email;
    const since = document.createElement("time");
    since.className = "sub";
    since.dateTime = at;
    since.textContent = moments.format(new Date(at));
    item.append(who, address, since);
    return item;
  }
}

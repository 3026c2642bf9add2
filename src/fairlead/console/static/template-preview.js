// A message as its template would write it, with sample values, while the template is changed. What the API answers is
// shown in a room of its own: elements of mails alone, with their styles, and nothing that could be run or fetched.
import { callApi } from "./forms.js";
import { newestAnswer } from "./newest-answer.js";

const PAUSE_MS = 500;
const SHOWN = new Set("A ADDRESS B BLOCKQUOTE BODY BR CENTER CODE DIV EM FONT FOOTER H1 H2 H3 H4 H5 H6 HEADER HR I LI OL P PRE S SECTION SMALL SPAN STRONG SUB SUP TABLE TBODY TD TFOOT TH THEAD TR U UL".split(" "));
const KEPT = ["align", "bgcolor", "border", "cellpadding", "cellspacing", "colspan", "rowspan", "role", "valign", "width", "lang", "dir"];

export function start(element) {
  const form = element.querySelector('form[data-api^="PUT"]');
  const part = (name) => element.querySelector(`[data-preview-${name}]`);
  const texts = element.querySelector("[data-texts]").dataset;
  const room = part("html").attachShadow({ mode: "open" });
  const ask = newestAnswer();
  let timer;

  async function preview() {
    const asked = ask();
    const { subject, html, text } = form.elements;
    const answer = await callApi("POST", element.dataset.address, { subject: subject.value, html: html.value, text: text.value }).catch(() => null);
    if (!asked.isNewest()) return;
    const error = part("error");
    error.hidden = Boolean(answer?.ok);
    if (!answer?.ok) {
      error.textContent = answer?.said?.errors?.map((each) => `${each.pointer.slice(1)} ${each.detail}`.trim()).join(" ") || answer?.said?.detail || texts.unreachable;
      return; // the last one that could be written stays in sight
    }
    part("subject").textContent = answer.said.subject;
    part("text").textContent = answer.said.text;
    room.replaceChildren(...copyOf(new DOMParser().parseFromString(withoutStyles(answer.said.html), "text/html").body));
  }

  form.addEventListener("input", () => { clearTimeout(timer); ask(); timer = setTimeout(preview, PAUSE_MS); });
  preview();
}

// The policy of the page holds for what is parsed, too, and each style in it would be a breach that the browser reports.
function withoutStyles(html) {
  const named = (tag) => tag.replace(/\sstyle\s*=/gi, " data-style=");
  return html.replace(/<style\b[\s\S]*?<\/style\s*>/gi, "").replace(/<[a-z][^>]*>/gi, named);
}

// The document that was parsed runs nothing; of its elements those of mails are made anew, the others' words are kept.
function copyOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode(node.data)];
  if (node.nodeType !== Node.ELEMENT_NODE || ["SCRIPT", "STYLE", "TEMPLATE", "TITLE"].includes(node.tagName)) return [];
  const within = [...node.childNodes].flatMap(copyOf);
  if (!SHOWN.has(node.tagName)) return within;
  const made = document.createElement(node.tagName === "BODY" ? "div" : node.tagName);
  for (const name of KEPT) if (node.hasAttribute(name)) made.setAttribute(name, node.getAttribute(name));
  made.style.cssText = node.getAttribute("data-style") ?? ""; // by script, which the page's policy allows
  for (const name of [...made.style]) if (made.style.getPropertyValue(name).includes("url(")) made.style.removeProperty(name);
  if (node.tagName === "A") made.title = node.getAttribute("href") ?? "";
  made.append(...within);
  return [made];
}

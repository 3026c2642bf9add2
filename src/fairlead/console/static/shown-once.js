// Secrets that are shown once: copied, downloaded, printed. Parts of a page with `data-copies`, `data-downloads` or
// `data-prints`; the first two name the element whose text it is.
import { announce } from "./announcements.js";

const texts = document.getElementById("script-texts").dataset;

export function start(element) {
  for (const button of element.querySelectorAll("[data-copies]")) {
    button.addEventListener("click", () => copy(document.getElementById(button.dataset.copies)));
  }
  for (const button of element.querySelectorAll("[data-downloads]")) {
    button.addEventListener("click", () => download(button.dataset.name, textOf(document.getElementById(button.dataset.downloads))));
  }
  for (const button of element.querySelectorAll("[data-prints]")) button.addEventListener("click", () => window.print());
}

export function showCodes(list, codes) {
  list.replaceChildren(...codes.map((each) => {
    const item = document.createElement("li");
    const code = document.createElement("code");
    code.textContent = each;
    item.append(code);
    return item;
  }));
}

function textOf(element) {
  const items = [...element.querySelectorAll("li")];
  return items.length ? items.map((each) => each.textContent.trim()).join("\n") + "\n" : element.textContent.trim();
}

// Without https there is no clipboard for scripts: then the text is selected, to be copied by hand.
async function copy(element) {
  try {
    await navigator.clipboard.writeText(textOf(element));
    announce(texts.copied);
  } catch {
    getSelection().selectAllChildren(element);
  }
}

function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

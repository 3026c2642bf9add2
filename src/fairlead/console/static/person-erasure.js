// What an erasure of a person would take away is shown before it can be asked for. The address or number goes to the API
// in a body and stands in no address of a page.
import { locale } from "./locale.js";

export async function start(element) {
  const part = (name) => element.querySelector(`[data-${name}]`);
  const look = part("look");
  const erase = part("erase");
  const file = part("file");
  const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
  look.addEventListener("answered", (event) => show(event));
  file.addEventListener("answered", ({ detail }) => save(detail));
  look.elements.person.addEventListener("input", () => { part("found").hidden = true; });

  // What is erased is what was shown: an answer about another person than the one that is typed by now is none.
  function show({ detail: { leads, export_files: files }, sent, focus }) {
    if (sent.person !== look.elements.person.value) return;
    const { one, many, none } = element.dataset;
    part("summary").textContent = leads.length === 0 ? none : leads.length === 1 ? one : many.replace("{count}", leads.length);
    part("rows-of-person").replaceChildren(...leads.map(rowOf));
    part("files-of-person").textContent = files > 0 ? element.dataset.files.replace("{count}", files) : "";
    part("frame").hidden = leads.length === 0;
    erase.hidden = leads.length === 0;
    file.hidden = leads.length === 0;
    for (const form of [erase, file]) form.elements.person.value = sent.person;
    part("found").hidden = false;
    focus(part("found"));
  }

  // Nothing personal stands in the name of the file.
  function save(said) {
    const address = URL.createObjectURL(new Blob([JSON.stringify(said, null, 2)], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `personal-data-${said.file_id}.json`;
    link.click();
    URL.revokeObjectURL(address);
  }

  function rowOf(lead) {
    const row = document.createElement("tr");
    const link = document.createElement("a");
    link.href = `/leads/${lead.lead_id}`;
    link.textContent = lead.lead_id.slice(0, 8);
    const received = moments.format(new Date(lead.created_at));
    const cells = [link, lead.niche, received, lead.answers, lead.contact_fields, lead.buyer_names.join(", ") || "–"];
    const heads = element.querySelectorAll("thead th");
    row.append(...cells.map((content, number) => {
      const cell = document.createElement("td");
      cell.dataset.label = heads[number].textContent;
      if (typeof content === "number") cell.className = "number";
      cell.append(typeof content === "number" ? String(content) : content);
      return cell;
    }));
    return row;
  }
}

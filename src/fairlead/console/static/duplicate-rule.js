// Which leads count as the same, by clicking: groups of fields, in any one of which two leads have to agree. The hidden
// input holds the rule as the API has it, or null for none. What can be chosen before this is loaded comes from the server
// and is read here, never set: a choice that was made by then stays.
export function start(element) {
  const part = (name) => element.querySelector(`[data-${name}]`);
  const [groups, group, rule] = [part("groups"), part("group"), part("rule")];
  const action = element.querySelector("[data-action]");

  function add(fields) {
    const row = group.content.cloneNode(true).firstElementChild;
    for (const box of row.querySelectorAll("input")) box.checked = fields.includes(box.value);
    groups.append(row);
    return row;
  }

  function changed() {
    const any_of = [...groups.children].map((row) => [...row.querySelectorAll("input:checked")].map((box) => box.value));
    const days = part("days").value.trim();
    part("details").hidden = action.value === "";
    for (const row of groups.children) row.querySelector("[data-remove]").hidden = groups.children.length === 1;
    const document = { version: 1, any_of, duplicate_window_days: days === "" ? null : Number(days), scope: part("scope").value, action: action.value };
    rule.value = JSON.stringify(action.value === "" ? null : document);
  }

  const stored = JSON.parse(rule.value);
  for (const fields of stored?.any_of ?? [["contact_email"], ["contact_phone"]]) add(fields);
  element.addEventListener("input", changed);
  element.addEventListener("click", (event) => {
    if (event.target.closest("[data-add]")) { add([]).querySelector("input").focus(); changed(); }
    const removed = event.target.closest("[data-remove]");
    if (!removed) return;
    const row = removed.closest("li");
    (row.nextElementSibling ?? row.previousElementSibling).querySelector("input").focus();
    row.remove();
    changed();
  });
  changed();
}

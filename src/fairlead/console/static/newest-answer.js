// Answers come late, and in another order than they were asked for. Of several questions about the same thing only the newest
// has an answer that counts, and the focus goes to what came only if the person has not gone on meanwhile.
//
//   const ask = newestAnswer();
//   const asked = ask();              before the call; `ask()` alone takes back the one that is under way
//   ... the answer is awaited ...
//   if (!asked.isNewest()) return;
//   asked.focus(element);
export function newestAnswer() {
  let newest = 0;
  return () => {
    const own = ++newest;
    return { isNewest: () => own === newest, focus: focusKeeper() };
  };
}

// Focuses what it is given if the focus is where it was when this was called, with nothing typed there since; or nowhere,
// where what had it is gone.
export function focusKeeper() {
  const before = document.activeElement;
  const typed = before?.value;
  return (element) => {
    const now = document.activeElement;
    if (now === null || now === document.body || (now === before && now.value === typed)) element?.focus?.();
  };
}

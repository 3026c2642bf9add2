// Answers come late, and in another order than they were asked for. Of several questions about the same thing only the
// newest has an answer that counts, and the focus goes to what came only if it is where it was when it was asked.
//
//   const ask = newestAnswer();
//   const asked = ask();                      before the call; `ask()` alone takes back what is under way
//   ... await the answer ...
//   if (!asked.isNewest()) return;
//   asked.focus(element);
export function newestAnswer() {
  let newest = 0;
  return () => {
    const own = ++newest;
    const isStill = focusKeeper();
    return { isNewest: () => own === newest, focus: (element) => { if (isStill()) element?.focus(); } };
  };
}

// Whether the focus is still where it is now: also where what had it is gone, or hidden, and nothing else has it.
export function focusKeeper() {
  const before = document.activeElement;
  return () => document.activeElement === before || document.activeElement === document.body || document.activeElement === null;
}

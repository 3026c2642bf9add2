// The token of a mail's link stands behind the `#`: it goes into the form's body, and out of the address bar, so that it
// stays neither in the browser's history nor in a picture of the screen. The page holds it until it is left or closed.
export function start(form) {
  const token = location.hash.slice(1) || history.state?.token;
  if (!token) {
    form.hidden = true;
    document.querySelector("[data-incomplete]").hidden = false;
    return;
  }
  form.elements.token.value = token;
  history.replaceState({ token }, "", location.pathname + location.search);
  form.addEventListener("answered", () => history.replaceState(null, "", location.pathname + location.search));
}

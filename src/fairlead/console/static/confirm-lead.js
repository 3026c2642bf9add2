// The token stands behind the `#`, where no server sees it; from here on it is in the body of the request alone.
export function start(form) {
  form.elements.token.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  form.addEventListener("answered", (event) => {
    const token = event.detail.request_token;
    document.querySelector("[data-request]").href = `/my-request#${token}`;
    form.hidden = true;
    const sent = document.querySelector("[data-afterwards]");
    sent.hidden = false;
    sent.focus();
  });
}

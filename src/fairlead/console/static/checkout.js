// The form that opens a gateway's page: its answer says where that is, here or elsewhere.
export function start(form) {
  form.addEventListener("answered", (event) => {
    const to = new URL(event.detail.url, location.href);
    if (to.protocol === "https:" || to.origin === location.origin) location.assign(to);
  });
}

// <script src="ADDRESS OF THE MARKETPLACE/forms/embed.js" data-niche="hosting" async></script>
//
// Puts the form of that niche where the script stands, as high as it needs to be. Colours: the custom properties
// `--fairlead-accent`, `--fairlead-back`, `--fairlead-card`, `--fairlead-ink`, `--fairlead-muted`, `--fairlead-line`,
// `--fairlead-accent-ink` and `--fairlead-radius` of the element around it.
(() => {
  const script = document.currentScript;
  const site = new URL(script.src).origin;
  const frame = document.createElement("iframe");
  frame.src = `${site}/forms/${encodeURIComponent(script.dataset.niche)}`;
  frame.title = script.dataset.title ?? "Form";
  frame.style.cssText = "width: 100%; border: 0; min-height: 320px; color-scheme: normal";
  const names = ["accent", "accent-ink", "back", "card", "ink", "muted", "line", "radius"];
  // Once the form is there to hear it, which its first message says.
  function tellColours() {
    const style = getComputedStyle(script.parentElement);
    const colours = {};
    for (const name of names) {
      const value = style.getPropertyValue(`--fairlead-${name}`).trim();
      if (value) colours[`--${name}`] = value;
    }
    frame.contentWindow.postMessage({ fairlead: "colours", colours }, site);
  }
  let isThere = false;
  window.addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== site || event.data?.fairlead !== "height") return;
    if (!isThere) tellColours();
    isThere = true;
    frame.style.height = `${Math.ceil(event.data.height)}px`;
  });
  script.after(frame);
})();

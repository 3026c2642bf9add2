// A small picture of the user's, as base64 in the form's hidden `image`. What is too large is said before it is sent.
export function start(form) {
  const file = form.querySelector("input[type=file]");
  const error = form.querySelector("[data-error-of=image]");
  file.addEventListener("change", take);
  if (file.files.length) take(); // chosen before this was loaded

  function take() {
    const chosen = file.files[0];
    form.elements.image.value = "";
    const isTooLarge = chosen !== undefined && chosen.size > Number(file.dataset.mostBytes);
    file.setCustomValidity(isTooLarge ? file.dataset.tooLarge : "");
    error.textContent = isTooLarge ? file.dataset.tooLarge : "";
    error.hidden = !isTooLarge;
    if (chosen === undefined || isTooLarge) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => { form.elements.image.value = reader.result.slice(reader.result.indexOf(",") + 1); });
    reader.readAsDataURL(chosen);
  }
}

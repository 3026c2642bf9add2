// The lead counts as seen once a person has it on the screen: a page that a program fetches beforehand says nothing.
import { callApi } from "./forms.js";

export async function start(element) {
  await callApi("POST", element.dataset.address).catch(() => null);
}

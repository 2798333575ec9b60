/** What the page wants: attributes of the script or the element, and Careline.configure(). */

import { BASE } from "./wire.js";

const SYSTEM = "light dark";
const configured = { texts: {} };

/** Take over settings; `texts` has own words by language, under the names of words-en.js. */
export function configure({ texts, ...rest }) {
  Object.assign(configured, rest);
  Object.assign(configured.texts, texts);
}

const language = (found) =>
  (/^zh/i.test(found.language || document.documentElement.lang || navigator.language) ? "zh" : "en");

/** Return all options, with the words `t` of the language they lead to. */
export async function options(element, script) {
  const all = () => ({ ...script?.dataset, ...element.dataset, ...configured });
  const spoken = language(all());
  const words = await import(new URL(`widget/words-${spoken}.js`, BASE).href);
  const found = all(); // with what was configured while the words were on their way
  if (language(found) !== spoken) return options(element, script);
  const t = { ...words.default };
  for (const name of ["title", "welcome", "privacyText"]) t[name] = found[name] || t[name];
  return { ...found, language: spoken, t: { ...t, ...found.texts[spoken] } };
}

/** Put the look that was asked for on the element: side, light or dark, colours. */
export function dress(element, { position, theme, accent, accentDark }) {
  const page = getComputedStyle(document.documentElement).colorScheme;
  element.setAttribute("side", position);
  // A page that says nothing of its own scheme leaves it to the system.
  element.style.colorScheme = { system: SYSTEM }[theme] ?? theme ?? (page === "normal" ? SYSTEM : "");
  const paint = (name, colour) => colour && element.style.setProperty(name, colour);
  paint("--careline-accent", accent);
  paint("--careline-accent-dark", accentDark || accent);
}

/** The page's options: attributes of the script or the element, and Careline.configure(). */

import { BASE } from "./wire.js";

const SYSTEM = "light dark";
const configured = { texts: {} };

/** Take over options; `texts` has the page's own words by language, named as in words-en.js. */
export function configure({ texts, ...rest }) {
  Object.assign(configured, rest);
  Object.assign(configured.texts, texts);
}

const languageOf = ({ language }) =>
  (/^zh/i.test(language || document.documentElement.lang || navigator.language) ? "zh" : "en");

/** Return all options, with the words `t` of the language they lead to. */
export async function loadOptions(element, script) {
  const all = () => ({ ...script?.dataset, ...element.dataset, ...configured });
  const language = languageOf(all());
  const words = await import(new URL(`widget/words-${language}.js`, BASE).href);
  const options = all(); // with what was configured while the words were loading
  if (languageOf(options) !== language) return loadOptions(element, script);
  const t = { ...words.default };
  for (const name of ["title", "welcome", "privacyText"]) t[name] = options[name] || t[name];
  return { ...options, language, t: { ...t, ...options.texts[language] } };
}

/** Apply the options of the looks to the element: side, light or dark, colours. */
export function applyLooks(element, { position, theme, accent, accentDark }) {
  const page = getComputedStyle(document.documentElement).colorScheme;
  element.setAttribute("side", position);
  // A page without a color-scheme leaves it to the system.
  element.style.colorScheme = { system: SYSTEM }[theme] ?? theme ?? (page === "normal" ? SYSTEM : "");
  const setColour = (name, colour) => colour && element.style.setProperty(name, colour);
  setColour("--careline-accent", accent);
  setColour("--careline-accent-dark", accentDark || accent);
}

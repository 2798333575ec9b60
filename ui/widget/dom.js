/** Elements: text from others is only ever added as text. */

const ICONS = {
  chat: "M4 4h16v12H9l-5 4z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-6 16-3-6z",
  thumb: "M7 21V10l4-7c2 0 2 2 2 3v3h6l-1 12zM3 10h4v11H3z",
  more: "M12 5h0m0 7h0m0 7h0",
  clip: "M19 11l-8 8a5 5 0 0 1-7-7l9-9a3 3 0 0 1 5 5l-9 8a1 1 0 0 1-2-2l8-7",
};

/** Make an element; functions become listeners, strings text; attributes that are false are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name === "id") node.dataset.testid = node.part = node.id = value;
    else if (name === "mark") node.dataset.testid = node.part = value; // for styles and tests
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Make a button that does not submit a form. */
export const button = (attributes, ...children) =>
  el("button", { type: "button", ...attributes }, ...children);

/** Make a link that opens in a new tab. */
export const link = (href, ...children) =>
  el("a", { href, target: "_blank", rel: "noreferrer" }, ...children);

/** Draw an icon; it is hidden from screen readers, which read the words beside it. */
export function icon(name) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS(picture.namespaceURI, "path");
  path.setAttribute("d", ICONS[name]);
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  picture.append(path);
  return picture;
}

/** How the widget looks: its style sheet, its icons and the making of its elements. */

const ICONS = {
  chat: "M4 4h16v12H9l-5 4z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-6 16-3-6z",
  up: "M7 21V10l4-7c2 0 2 2 2 3v3h6l-1 12zM3 10h4v11H3z",
  down: "M7 3v11l4 7c2 0 2-2 2-3v-3h6L18 3zM3 3h4v11H3z",
};

const CSS = `
:host { all: initial; --accent: var(--careline-accent, #0e5a46); --on-accent: #fff; --page: #fff;
  --ink: #1c2420; --soft: #edf2ef; --quiet: #55625c; --rule: #c9d3ce; --alert: #8a2c0d;
  color: var(--ink); font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC",
  sans-serif; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :host { --accent: var(--careline-accent-dark, #7fd6b4);
  --on-accent: #08251c; --page: #161c19; --ink: #eaf1ed; --soft: #26302b; --quiet: #a9b8b0;
  --rule: #44514b; --alert: #ffb59b; } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button, textarea { font: inherit; color: inherit; }
button { border: 0; background: none; cursor: pointer; }
svg { width: 1.4em; height: 1.4em; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linejoin: round; stroke-linecap: round; display: block; }
.launcher { position: fixed; inset: auto 1.25rem 1.25rem auto; z-index: 2147483646; padding: 1rem;
  border-radius: 50%; color: var(--on-accent); background: var(--accent);
  box-shadow: 0 6px 24px #0005; transition: transform .15s; }
.launcher:hover { transform: scale(1.06); }
.launcher.unread::after { content: ""; position: absolute; inset: 0 0 auto auto; width: .9rem;
  height: .9rem; border: 2px solid var(--page); border-radius: 50%; background: #d8471b; }
.panel { position: fixed; inset: auto 1.25rem 5.75rem auto; z-index: 2147483647; display: flex;
  flex-direction: column; width: min(24rem, calc(100vw - 2.5rem)); overflow: hidden;
  height: min(38rem, calc(100dvh - 7rem)); background: var(--page); border: 1px solid var(--rule);
  border-radius: 1rem; box-shadow: 0 12px 48px #0004; animation: rise .18s ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(.75rem); } }
header { display: flex; align-items: center; gap: .5rem; padding: .75rem .5rem .75rem 1rem;
  color: var(--on-accent); background: var(--accent); }
header h2 { margin: 0; font-size: 1rem; line-height: 1.3; }
header p { margin: 0; font-size: .8125rem; }
header div { flex: 1; }
header button { padding: .6rem; border-radius: .5rem; }
header :focus-visible { outline-color: currentColor; }
.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 1rem; }
.line { max-width: 88%; width: fit-content; margin: 0 0 .75rem; padding: .6rem .85rem;
  border-radius: .25rem 1rem 1rem; background: var(--soft); overflow-wrap: anywhere; }
.line.customer { margin-left: auto; border-radius: 1rem .25rem 1rem 1rem;
  color: var(--on-accent); background: var(--accent); }
.line.notice { background: none; border: 1px solid currentColor; color: var(--alert); }
.text { margin: 0; white-space: pre-wrap; }
.who { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.agent .who { position: static; display: block; width: auto; height: auto; clip-path: none;
  font-size: .8125rem; color: var(--quiet); }
.citation { margin-top: .5rem; font-size: .875rem; border-top: 1px solid var(--rule);
  padding-top: .4rem; }
.citation summary { cursor: pointer; color: var(--accent); }
.citation blockquote { margin: .4rem 0; padding-left: .7rem; border-left: 3px solid var(--accent);
  white-space: pre-wrap; }
a { color: var(--accent); }
.choices { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .6rem; }
.choices .small { flex-basis: 100%; margin: 0; }
.choices button { padding: .35rem .8rem; border: 1px solid var(--accent); border-radius: 1rem;
  color: var(--accent); background: var(--page); text-align: left; }
.small { margin: .5rem 0 0; font-size: .8125rem; color: var(--quiet); }
.rating { display: flex; gap: .15rem; margin: .3rem 0 -.25rem -.35rem; color: var(--quiet); }
.rating button { padding: .35rem; border-radius: .4rem; font-size: .75rem; }
.rating button:hover, .rating [aria-pressed=true] { color: var(--accent); }
.rating [aria-pressed=true] svg { fill: currentColor; }
.typing { display: flex; gap: .3rem; padding: .5rem .85rem; }
.typing i { width: .5rem; height: .5rem; border-radius: 50%; background: var(--quiet);
  animation: beat 1.2s infinite; }
.typing i:nth-of-type(2) { animation-delay: .15s; }
.typing i:nth-of-type(3) { animation-delay: .3s; }
@keyframes beat { 50% { opacity: .25; transform: translateY(-.2rem); } }
.bar { margin: 0; padding: .4rem 1rem; font-size: .875rem; background: var(--soft);
  border-top: 1px solid var(--rule); }
.bar.trouble { color: var(--alert); }
form { display: flex; align-items: end; gap: .5rem; padding: .75rem .75rem .25rem;
  border-top: 1px solid var(--rule); }
textarea { flex: 1; resize: none; field-sizing: content; min-height: 2.75rem; max-height: 8rem;
  padding: .55rem .75rem; border: 1px solid var(--quiet); border-radius: .75rem;
  background: var(--page); }
textarea::placeholder { color: var(--quiet); opacity: 1; }
.send { padding: .7rem; border-radius: .75rem; color: var(--on-accent); background: var(--accent);
  line-height: 1; }
.human { align-self: start; margin: 0 .5rem .5rem; padding: .35rem .5rem; font-size: .875rem;
  color: var(--accent); text-decoration: underline; border-radius: .4rem; }
@media (max-width: 480px) { .panel { inset: 0; width: 100%; height: 100dvh; border: 0;
  border-radius: 0; } textarea { font-size: 16px; } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important;
  transition: none !important; } }
`;

/** The style sheet; made by script, it is allowed by a strict content security policy. */
export function sheet() {
  const rules = new CSSStyleSheet();
  rules.replaceSync(CSS);
  return rules;
}

/** Make an element; functions become listeners, strings become text. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name === "name") mark(node, value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Give an element the stable name that page styles and tests find it by. */
function mark(node, name) {
  node.setAttribute("part", name);
  node.dataset.testid = name;
}

/** Draw an icon; the words for it stand beside it. */
export function icon(name) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS(picture.namespaceURI, "path");
  path.setAttribute("d", ICONS[name]);
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  picture.append(path);
  return picture;
}

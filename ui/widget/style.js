/** How the widget looks. Colours follow `color-scheme`, which the page or the options decide. */

const CSS = `
:host { all: initial; color-scheme: inherit; --edge: 1.25rem;
  --accent: light-dark(var(--careline-accent, #0e5a46), var(--careline-accent-dark, #7fd6b4));
  --on-accent: oklch(from var(--accent) clamp(0, (.57 - l) * 99, 1) 0 0);
  --page: light-dark(#fff, #161c19); --ink: light-dark(#1c2420, #eaf1ed);
  --soft: light-dark(#edf2ef, #26302b); --quiet: light-dark(#55625c, #a9b8b0);
  --rule: light-dark(#c9d3ce, #44514b); --alert: light-dark(#8a2c0d, #ffb59b);
  color: var(--ink); font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC",
  sans-serif; }
:host([scheme=light]) { color-scheme: light; }
:host([scheme=dark]) { color-scheme: dark; }
:host([scheme=system]) { color-scheme: light dark; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button, textarea, input, select { font: inherit; color: inherit; }
button, summary, label { cursor: pointer; }
button { border: 0; background: none; }
a { color: var(--accent); }
svg { width: 1.4em; height: 1.4em; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linejoin: round; stroke-linecap: round; display: block; }
.away { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.corner { position: fixed; inset: auto var(--edge) 1.25rem auto; z-index: 2147483646;
  display: flex; flex-direction: column; align-items: flex-end; gap: .75rem; }
:host([side=left]) .corner { inset: auto auto 1.25rem var(--edge); align-items: flex-start; }
.launcher { position: relative; display: flex; gap: .5rem; align-items: center; min-height: 3.4rem;
  padding: 1rem; border-radius: 2rem; color: var(--on-accent); background: var(--accent);
  box-shadow: 0 6px 24px #0005; transition: transform .15s; }
.launcher:hover { transform: scale(1.06); }
.count { position: absolute; inset: -.3rem -.3rem auto auto; min-width: 1.5rem; padding: 0 .3rem;
  border: 2px solid var(--page); border-radius: 1rem; font-size: .8125rem; text-align: center;
  color: #fff; background: #b3350c; }
.teaser { position: relative; max-width: 17rem; padding: .75rem 2.5rem .75rem 1rem;
  border: 1px solid var(--rule); border-radius: 1rem; background: var(--page);
  box-shadow: 0 6px 24px #0003; animation: rise .18s ease-out; }
.teaser button { padding: 0; text-align: start; }
.teaser .shut { position: absolute; inset: .35rem .35rem auto auto; padding: .25rem; }
.panel { position: fixed; inset: auto var(--edge) 5.75rem auto; z-index: 2147483647; display: flex;
  flex-direction: column; width: min(24rem, calc(100vw - 2.5rem)); overflow: hidden;
  height: min(40rem, calc(100dvh - 7rem)); background: var(--page); border: 1px solid var(--rule);
  border-radius: 1rem; box-shadow: 0 12px 48px #0004; animation: rise .18s ease-out; }
:host([side=left]) .panel { inset: auto auto 5.75rem var(--edge); }
@keyframes rise { from { opacity: 0; transform: translateY(.75rem); } }
header { display: flex; align-items: center; gap: .25rem; padding: .7rem .5rem .7rem 1rem;
  color: var(--on-accent); background: var(--accent); }
header > div { flex: 1; min-width: 0; }
header :is(h2, p) { margin: 0; font-size: 1rem; line-height: 1.35; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
header p { font-size: .8125rem; }
header :is(button, summary) { padding: .6rem; border-radius: .5rem; list-style: none; }
header :focus-visible { outline-color: currentColor; }
.menu div { position: absolute; right: 3rem; z-index: 1; padding: .4rem; color: var(--ink);
  background: var(--page); border: 1px solid var(--rule); border-radius: .75rem;
  box-shadow: 0 6px 24px #0004; }
.menu div button { display: block; width: 100%; text-align: start; }
.menu div button:hover { background: var(--soft); }
.menu :focus-visible { outline-color: var(--accent); }
.log { flex: 1; min-height: 5rem; overflow: hidden auto; overscroll-behavior: contain;
  overflow-anchor: none; padding: 1rem 1rem .25rem; }
.line { max-width: 88%; width: fit-content; margin: 0 0 .75rem; padding: .6rem .85rem;
  border-radius: .25rem 1rem 1rem; background: var(--soft); overflow-wrap: anywhere; }
.line.customer { margin-inline-start: auto; border-radius: 1rem .25rem 1rem 1rem;
  color: var(--on-accent); background: var(--accent); }
.line.customer :focus-visible { outline-color: currentColor; }
.line.customer a { color: inherit; }
.line.notice { background: none; border: 1px solid currentColor; color: var(--alert); }
.line.waiting { opacity: .75; }
.who { display: block; font-size: .8125rem; color: var(--quiet); }
.text { margin: 0; white-space: pre-wrap; unicode-bidi: plaintext; }
.old .once { display: none; }
.file { display: block; margin-top: .35rem; unicode-bidi: isolate; }
.file img { display: block; max-width: 100%; max-height: 12rem; border-radius: .5rem; }
.citation { margin-top: .5rem; padding-top: .4rem; font-size: .875rem;
  border-top: 1px solid var(--rule); }
.citation summary { color: var(--accent); }
blockquote { margin: .4rem 0; padding-inline-start: .7rem; white-space: pre-wrap;
  border-inline-start: 3px solid var(--accent); unicode-bidi: plaintext; }
.choices { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .6rem; }
.choices .small { flex-basis: 100%; margin: 0; }
.choices button { padding: .35rem .8rem; border: 1px solid var(--accent); border-radius: 1rem;
  color: var(--accent); background: var(--page); text-align: start; }
.small { margin: .4rem 0 0; font-size: .8125rem; color: var(--quiet); }
.rating { display: flex; gap: .15rem; margin: .3rem 0 -.25rem -.35rem; color: var(--quiet); }
.rating button { padding: .35rem; border-radius: .4rem; font-size: .75rem; }
.rating button:hover, .rating [aria-pressed=true] { color: var(--accent); }
.rating [aria-pressed=true] svg { fill: currentColor; }
.typing { display: flex; gap: .3rem; padding: .5rem .85rem 1rem; }
.typing i { width: .5rem; height: .5rem; border-radius: 50%; background: var(--quiet);
  animation: beat 1.2s infinite; }
.typing i + i { animation-delay: .15s; }
.typing i + i + i { animation-delay: .3s; }
@keyframes beat { 50% { opacity: .25; transform: translateY(-.2rem); } }
.latest { align-self: center; margin: -2.75rem 0 .5rem; padding: .25rem .9rem; z-index: 1;
  border-radius: 1rem; color: var(--on-accent); background: var(--accent); font-size: .875rem; }
.bar { margin: 0; padding: .4rem 1rem; font-size: .875rem; background: var(--soft);
  border-top: 1px solid var(--rule); overflow-wrap: anywhere; }
.trouble { color: var(--alert); }
form { border-top: 1px solid var(--rule); padding: .75rem; }
.composer { display: flex; flex-wrap: wrap; align-items: end; gap: .4rem; padding-bottom: .25rem; }
.chips { flex-basis: 100%; display: flex; flex-wrap: wrap; gap: .4rem; }
.chips button { display: flex; gap: .3rem; align-items: center; max-width: 100%; font-size: .875rem;
  padding: .2rem .6rem; border-radius: 1rem; background: var(--soft); overflow-wrap: anywhere; }
textarea, input, select { border: 1px solid var(--quiet); border-radius: .75rem;
  padding: .55rem .75rem; background: var(--page); }
textarea { flex: 1; min-width: 0; resize: none; field-sizing: content; min-height: 2.75rem;
  max-height: 8rem; unicode-bidi: plaintext; }
::placeholder { color: var(--quiet); opacity: 1; }
.clip, .send { padding: .7rem .6rem; border-radius: .75rem; line-height: 1; }
.clip:focus-within { outline: 3px solid var(--accent); }
.send, .main { color: var(--on-accent); background: var(--accent); }
.sheet { max-height: 60%; overflow-y: auto; }
.sheet :is(h3, p) { margin: 0 0 .5rem; font-size: 1rem; }
.sheet label { display: block; margin-bottom: .5rem; font-size: .875rem; }
.sheet :is(input, select, textarea) { display: block; width: 100%; margin-top: .15rem; }
.sheet .row { display: flex; gap: .5rem; flex-wrap: wrap; }
.row button { min-width: 2.75rem; padding: .45rem .9rem; border: 1px solid var(--accent);
  border-radius: .75rem; }
.row [aria-pressed=true] { color: var(--on-accent); background: var(--accent); }
footer { display: flex; justify-content: space-between; gap: .5rem; align-items: center;
  padding: 0 .75rem .5rem; font-size: .8125rem; color: var(--quiet); }
footer button { padding: .35rem .5rem; color: var(--accent); text-decoration: underline;
  font-size: .875rem; border-radius: .4rem; flex: none; }
@media (max-width: 480px) { .panel, :host([side=left]) .panel { inset: var(--top, 0) 0 auto;
  width: 100%; height: var(--high, 100dvh); border: 0; border-radius: 0; }
  textarea, input, select { font-size: 16px; } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important;
  transition: none !important; } }
`;

/** The style sheet; made by script, it is allowed by a strict content security policy. */
export function sheet() {
  const rules = new CSSStyleSheet();
  rules.replaceSync(CSS);
  return rules;
}

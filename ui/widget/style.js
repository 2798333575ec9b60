/** The style of the widget. Colours follow `color-scheme`, which the page or the options decide. */

const CSS = `
:host { all: initial; color-scheme: inherit;
  --accent: light-dark(var(--careline-accent, #0e5a46), var(--careline-accent-dark, #7fd6b4));
  --on-accent: oklch(from var(--accent) clamp(0, (.57 - l) * 99, 1) 0 0);
  --link: light-dark(oklch(from var(--accent) min(l, .45) c h),
  oklch(from var(--accent) max(l, .8) c h)); --page: light-dark(#fff, #161c19); --ink: light-dark(#1c2420, #eaf1ed);
  --soft: color-mix(in srgb, var(--ink) 8%, var(--page));
  --rule: color-mix(in srgb, var(--ink) 22%, var(--page));
  --quiet: color-mix(in srgb, var(--ink) 72%, var(--page)); --alert: light-dark(#8a2c0d, #ffb59b);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
:focus-visible, .clip:focus-within { outline: 3px solid var(--link); outline-offset: 2px; }
button, textarea, input { font: inherit; color: inherit; }
button, summary, label { cursor: pointer; padding: .4rem .75rem; border: 0; border-radius: .75rem;
  background: none; text-align: start; }
a, summary, .choices button, .foot button { color: var(--link); }
svg { width: 1.4em; height: 1.4em; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linejoin: round; stroke-linecap: round; display: block; }
.away { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.corner, .panel { position: fixed; inset: auto 1.25rem 1.25rem auto; z-index: 2147483646; }
.corner { display: grid; gap: .75rem; justify-items: end; }
.panel { bottom: 5.75rem; display: flex; flex-direction: column; overflow: hidden;
  overflow-wrap: anywhere;
  width: min(24rem, 100vw - 2.5rem); height: min(40rem, 100dvh - 7rem); background: var(--page);
  border: 1px solid var(--rule); border-radius: 1rem; box-shadow: 0 12px 48px #0004;
  animation: rise .2s; }
:host([side=left]) :is(.corner, .panel) { inset-inline: 1.25rem auto; justify-items: start; }
@keyframes rise { from { opacity: 0; transform: translateY(.75rem); } }
.launcher { position: relative; display: flex; gap: .5rem; padding: 1rem; border-radius: 2rem;
  box-shadow: 0 6px 24px #0005; }
.launcher, .head, .send, .main, .latest, .line.customer { color: var(--on-accent);
  background: var(--accent); }
.count { position: absolute; inset: -.3rem -.3rem auto auto; min-width: 1.5rem;
  border-radius: 1rem; font-size: .8125rem; text-align: center; color: var(--page); background: var(--alert); }
.head { display: flex; align-items: center; padding: .6rem .25rem .6rem 1rem; }
.head > div { flex: 1; min-width: 0; }
h2, h3, p { margin: 0; font-size: 1rem; }
.head :is(h2, p) { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.head summary { list-style: none; color: inherit; }
.head :focus-visible, .customer a { outline-color: currentColor; color: inherit; }
.menu svg { stroke-width: 4; }
.menu div { position: absolute; right: 3rem; z-index: 1; display: grid; padding: .4rem;
  color: var(--ink); background: var(--page); border: 1px solid var(--rule);
  border-radius: .75rem; }
.log { flex: 1; min-height: 5rem; overflow: hidden auto; overscroll-behavior: contain;
  overflow-anchor: none; padding: 1rem 1rem .25rem; }
.line { max-width: 88%; width: fit-content; margin-bottom: .75rem; padding: .6rem .85rem;
  border-radius: .25rem 1rem 1rem; background: var(--soft); }
.customer { margin-inline-start: auto; border-radius: 1rem .25rem 1rem 1rem; }
.notice { background: none; border: 1px solid; }
.notice, .trouble { color: var(--alert); }
.waiting { opacity: .85; }
.who, .small, .foot, .head p { font-size: .8125rem; }
.who, .small, .foot, .rating, ::placeholder { color: var(--quiet); opacity: 1; }
.text, blockquote { white-space: pre-wrap; unicode-bidi: plaintext; }
.old .once { display: none; }
img { display: block; max-width: 100%; max-height: 12rem; }
.citation { margin-top: .5rem; font-size: .875rem; border-top: 1px solid var(--rule); }
.citation summary { padding: .4rem 0 0; }
blockquote { margin: .4rem 0; padding-inline-start: .7rem; border-inline-start: 3px solid; }
.choices, .chips, .row { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .4rem; }
.choices .small, .chips { flex-basis: 100%; }
.choices button, .row button { border: 1px solid var(--link); }
.rating { display: flex; align-items: center; margin: .3rem 0 -.25rem -.4rem; }
.rating button { padding: .4rem; }
.rating svg { width: 1.1em; height: 1.1em; }
.rating :nth-child(2) svg { transform: scaleY(-1); }
.rating [aria-pressed=true] { color: var(--link); }
.typing { padding: .5rem .85rem; letter-spacing: .25em; animation: beat 1.2s infinite; }
@keyframes beat { 50% { opacity: .25; } }
.latest { align-self: center; margin: -2.75rem 0 .5rem; }
.bar { padding: .4rem 1rem; font-size: .875rem; background: var(--soft); }
.forms { min-height: 0; overflow-y: auto; }
form { padding: .75rem; border-top: 1px solid var(--rule); }
.composer { display: flex; flex-wrap: wrap; align-items: end; gap: .25rem; padding-bottom: .25rem; }
.chips button { background: var(--soft); max-width: 100%; }
textarea, input { border: 1px solid var(--quiet); border-radius: .75rem; padding: .55rem .75rem;
  background: none; }
textarea { flex: 1; min-width: 0; resize: none; field-sizing: content; min-height: 2.75rem;
  max-height: 8rem; unicode-bidi: plaintext; }
.clip, .send { padding: .65rem; }
.foot { display: flex; justify-content: space-between; align-items: center; padding: 0 .75rem .4rem; }
.foot button { flex: none; text-decoration: underline; }
@media (max-width: 480px) { .panel.panel { inset: var(--top, 0) 0 auto; width: 100%;
  height: var(--high, 100dvh); border: 0; border-radius: 0; } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; } }
`;

/** Make a style sheet by script, which a strict content security policy allows. */
export function sheet(css = CSS) {
  const rules = new CSSStyleSheet();
  rules.replaceSync(css);
  return rules;
}

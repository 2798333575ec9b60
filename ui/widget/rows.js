/** A long list of lines of which few are in the page: the window moves with the scrolling. */

const ROOM = 60; // lines in the page at most
const STEP = 20; // lines the window moves by
const NEAR = 300; // pixels from an end at which it moves
const BOTTOM = 40; // pixels from the end that still count as the end

export class Rows {
  #from = 0;
  #lines = [];
  #nodes = new Map(); // key → {node, update}
  #atEnd = true;
  #top = 0;

  /** `make(line)` returns {node, update}; `older()` asks for lines before the first one. */
  constructor(scroller, box, { make, older, moved }) {
    Object.assign(this, { scroller, box, make, older, moved });
    scroller.addEventListener("scroll", () => this.#scrolled());
    // What grows, such as a picture, or takes room away does not hide the last line.
    const watch = new ResizeObserver(() => this.#atEnd && this.#toBottom());
    watch.observe(scroller);
    watch.observe(box);
  }

  get isAtEnd() {
    return this.#atEnd && this.#from + ROOM >= this.#lines.length;
  }

  /** Show lines; whoever reads further up stays there. */
  show(lines) {
    const first = this.#lines[this.#from]?.key;
    this.#lines = lines;
    const at = lines.findIndex(({ key }) => key === first);
    this.#from = this.#atEnd ? this.#end : Math.max(0, at);
    this.#draw();
    this.#scrolled(); // at the very top no scrolling would tell that there is more now
  }

  /** Go to the last line. */
  toEnd() {
    this.#atEnd = true;
    this.#from = this.#end;
    this.#draw();
  }

  get #end() {
    return Math.max(0, this.#lines.length - ROOM);
  }

  #draw() {
    const anchor = this.#anchor();
    const wanted = this.#lines.slice(this.#from, this.#from + ROOM);
    const keys = new Set(wanted.map(({ key }) => key));
    for (const [key, { node }] of this.#nodes) {
      if (keys.has(key)) continue;
      node.remove();
      this.#nodes.delete(key);
    }
    let next = this.box.firstChild;
    wanted.forEach((line, number) => {
      const isLast = this.#from + number === this.#lines.length - 1;
      const row = this.#nodes.get(line.key) ?? this.make(line);
      this.#nodes.set(line.key, row);
      row.update(line, isLast);
      if (row.node === next) next = next.nextSibling;
      else this.box.insertBefore(row.node, next);
    });
    if (this.#atEnd) this.#toBottom();
    else if (anchor?.node.isConnected) {
      this.scroller.scrollTop += anchor.node.offsetTop - anchor.top;
    }
  }

  #toBottom() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** The first line in sight, and where it stands: it stays there when others come or go. */
  #anchor() {
    const top = this.scroller.scrollTop + this.scroller.offsetTop;
    const node = [...this.box.children].find((row) => row.offsetTop + row.offsetHeight > top);
    return node && { node, top: node.offsetTop };
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (!clientHeight) return; // it is hidden
    const below = scrollHeight - scrollTop - clientHeight;
    // What grew a moment ago has not been scrolled to yet: only who goes up leaves the end.
    const stays = this.#atEnd && scrollTop >= this.#top;
    this.#top = scrollTop;
    this.#atEnd = (stays || below < BOTTOM) && this.#from === this.#end;
    if (scrollTop < NEAR && this.#from > 0) this.#move(-STEP);
    else if (scrollTop < NEAR && !this.#atEnd) this.older();
    else if (below < NEAR && this.#from < this.#end) this.#move(STEP);
    this.moved();
  }

  #move(by) {
    this.#from = Math.max(0, Math.min(this.#from + by, this.#end));
    this.#draw();
  }
}

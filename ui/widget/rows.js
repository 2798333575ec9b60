/** A long list of lines of which few are in the page: the window moves with the scrolling. */

const WINDOW = 60; // lines in the page at most
const STEP = 20; // lines the window moves by
const MARGIN = 300; // pixels from an end of the window at which it moves
const BOTTOM = 40; // pixels from the end that still count as the end

export class Rows {
  #first = 0; // number of the first line in the page
  #lines = [];
  #rows = new Map(); // key → {node, update}
  #atEnd = true;
  #top = 0;

  /** `make(line)` returns {node, update}; `older()` loads the lines before the first one. */
  constructor(scroller, box, { make, older, moved }) {
    Object.assign(this, { scroller, box, make, older, moved });
    scroller.addEventListener("scroll", () => this.#onScroll());
    // A picture that loads, or a form that opens, does not hide the last line.
    const observer = new ResizeObserver(() => this.#atEnd && this.#toBottom());
    observer.observe(scroller);
    observer.observe(box);
  }

  get isAtEnd() {
    return this.#atEnd && this.#first + WINDOW >= this.#lines.length;
  }

  /** Show lines; a reader further up stays there. */
  show(lines) {
    const first = this.#lines[this.#first]?.key;
    this.#lines = lines;
    const number = lines.findIndex(({ key }) => key === first);
    this.#first = this.#atEnd ? this.#lastFirst : Math.max(0, number);
    this.#draw();
    this.#onScroll(); // at the very top there is no scroll event for new lines above
  }

  /** Go to the last line. */
  toEnd() {
    this.#atEnd = true;
    this.#first = this.#lastFirst;
    this.#draw();
  }

  get #lastFirst() {
    return Math.max(0, this.#lines.length - WINDOW);
  }

  #draw() {
    const anchor = this.#anchor();
    const lines = this.#lines.slice(this.#first, this.#first + WINDOW);
    const keys = new Set(lines.map(({ key }) => key));
    for (const [key, { node }] of this.#rows) {
      if (keys.has(key)) continue;
      node.remove();
      this.#rows.delete(key);
    }
    let next = this.box.firstChild;
    lines.forEach((line, number) => {
      const isLast = this.#first + number === this.#lines.length - 1;
      const row = this.#rows.get(line.key) ?? this.make(line);
      this.#rows.set(line.key, row);
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

  /** Return the first line in sight and its place, which it keeps when lines are added above. */
  #anchor() {
    const top = this.scroller.scrollTop + this.scroller.offsetTop;
    const node = [...this.box.children].find((row) => row.offsetTop + row.offsetHeight > top);
    return node && { node, top: node.offsetTop };
  }

  #onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (!clientHeight) return; // it is hidden
    const below = scrollHeight - scrollTop - clientHeight;
    // New lines may not have been scrolled to yet: only scrolling up leaves the end.
    const stays = this.#atEnd && scrollTop >= this.#top;
    this.#top = scrollTop;
    this.#atEnd = (stays || below < BOTTOM) && this.#first === this.#lastFirst;
    if (scrollTop < MARGIN && this.#first > 0) this.#move(-STEP);
    else if (scrollTop < MARGIN && !this.#atEnd) this.older();
    else if (below < MARGIN && this.#first < this.#lastFirst) this.#move(STEP);
    this.moved();
  }

  #move(lines) {
    this.#first = Math.max(0, Math.min(this.#first + lines, this.#lastFirst));
    this.#draw();
  }
}

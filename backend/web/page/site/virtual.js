// A table of any number of rows, of which only those in sight are elements. Rows are used again, not made anew.

import { h } from "./dom.js";

const BEYOND = 6;

/**
 * `make()` gives {element, fill(item)} of one row; `scroller` is what scrolls. Rows have one height, which the
 * style sheet says as --row, and may change with the width of the window.
 */
export class VirtualRows {
  constructor(scroller, make, signal) {
    this.scroller = scroller;
    this.make = make;
    this.items = [];
    this.rows = new Map();
    this.spare = [];
    this.body = h("div", { class: "rows", role: "rowgroup" });
    this.body.addEventListener("keydown", (event) => this.onKey(event));
    let waits = false;
    const later = () => {
      if (waits) return;
      waits = true;
      requestAnimationFrame(() => { waits = false; this.draw(); });
    };
    scroller.addEventListener("scroll", later, { signal, passive: true });
    window.addEventListener("resize", () => this.show(this.items), { signal });
  }

  /** Show other items, or the same ones changed. */
  show(items) {
    this.items = items;
    this.height = parseFloat(getComputedStyle(this.body).getPropertyValue("--row")) || 36;
    this.body.style.height = `${items.length * this.height}px`;
    this.draw(true);
  }

  draw(anew = false) {
    const top = this.scroller.getBoundingClientRect().top - this.body.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / this.height) - BEYOND);
    const last = Math.min(this.items.length, Math.ceil((top + this.scroller.clientHeight) / this.height) + BEYOND);
    for (const [number, row] of this.rows) {
      if (number >= first && number < last) continue;
      this.rows.delete(number);
      this.spare.push(row);
    }
    for (let number = first; number < last; number += 1) {
      const known = this.rows.get(number);
      if (known && !anew) continue;
      this.place(known ?? this.spare.pop() ?? this.added(), number);
    }
    for (const row of this.spare.splice(0)) row.element.remove();
  }

  added() {
    const row = this.make();
    this.body.append(row.element);
    return row;
  }

  place(row, number) {
    this.rows.set(number, row);
    row.element.style.transform = `translateY(${number * this.height}px)`;
    if (row.element.role === "row") row.element.setAttribute("aria-rowindex", number + 2);
    else {
      row.element.setAttribute("aria-posinset", number + 1);
      row.element.setAttribute("aria-setsize", this.items.length);
    }
    row.element.dataset.number = number;
    row.fill(this.items[number]);
  }

  /** Arrows lead from row to row, Home and End to the first and the last. */
  onKey(event) {
    const row = event.target.closest("[data-number]");
    const number = Number(row?.dataset.number);
    const wanted = {
      ArrowDown: number + 1, ArrowUp: number - 1, Home: 0, End: this.items.length - 1,
      PageDown: number + 10, PageUp: number - 10,
    }[event.key];
    if (!row || wanted === undefined) return;
    event.preventDefault();
    this.focus(Math.max(0, Math.min(this.items.length - 1, wanted)));
  }

  focus(number) {
    const box = this.scroller.getBoundingClientRect();
    const head = this.body.previousElementSibling?.offsetHeight ?? 0;
    const at = this.body.getBoundingClientRect().top - box.top + number * this.height;
    if (at < head) this.scroller.scrollTop += at - head;
    else if (at + this.height > box.height) this.scroller.scrollTop += at + this.height - box.height;
    this.draw();
    this.rows.get(number)?.element.querySelector("a, button, input")?.focus({ preventScroll: true });
  }
}

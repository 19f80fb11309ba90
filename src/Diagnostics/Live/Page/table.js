import { element, setText } from "./dom.js";

// A table that is changed in place: its rows stay where they are for as long as they have the same keys.
//
// A column: { title, text: row => string, kind: "text" | "site" | "", minor: hidden on narrow screens, header: names the row,
//             draw: (cell, row) => void instead of text, alarm: row => bool }
export class Table {
  #body;
  #columns;
  #key;
  #empty;
  #rows = new Map();

  constructor(table, columns, key, empty = "none") {
    this.#columns = columns;
    this.#key = key;
    this.#empty = empty;
    const heads = columns.map((c) => element(c.title ? "th" : "td", { ...(c.title ? { scope: "col" } : {}), className: Table.#className(c) }, c.title));
    this.#body = element("tbody");
    table.replaceChildren(element("thead", {}, element("tr", {}, ...heads)), this.#body);
    this.update([]);
  }

  static #className(column) {
    return [column.kind ? "text" : "", column.kind === "site" ? "site" : "", column.minor ? "minor" : ""].filter(Boolean).join(" ");
  }

  update(rows) {
    const before = this.#rows;
    this.#rows = new Map();
    const nodes = [];
    for (const row of rows) {
      const key = this.#key(row);
      if (this.#rows.has(key)) continue;
      const made = before.get(key) ?? this.#make();
      this.#rows.set(key, made);
      this.#fill(made, row);
      nodes.push(made.node);
    }
    if (nodes.length === 0)
      nodes.push(element("tr", {}, element("td", { colSpan: this.#columns.length, className: "text muted" }, this.#empty)));
    if (nodes.length !== this.#body.children.length || nodes.some((node, i) => node !== this.#body.children[i])) this.#body.replaceChildren(...nodes);
  }

  #make() {
    const cells = this.#columns.map((column) =>
      element(column.header ? "th" : "td", { className: Table.#className(column), ...(column.header ? { scope: "row" } : {}) }));
    return { node: element("tr", {}, ...cells), cells };
  }

  #fill(made, row) {
    this.#columns.forEach((column, i) => {
      const cell = made.cells[i];
      if (column.draw) column.draw(cell, row);
      else setText(cell, column.text(row));
      if (column.alarm) cell.classList.toggle("alarm", column.alarm(row));
    });
  }
}

/** Draws a part of one as a bar; the number itself is in another cell. */
export function meter(cell, part) {
  let bar = cell.querySelector("i");
  if (!bar) {
    bar = element("i");
    cell.replaceChildren(element("span", { className: "meter", ariaHidden: "true" }, bar));
  }
  bar.style.width = `${Math.max(0, Math.min(1, part || 0)) * 100}%`;
}

// What stands beside a cell that is pointed at.

const PICTURE = 88; // pixels

class Card {
  constructor(map) {
    this.map = map;
    this.root = element("div", "card", { hidden: true });
  }

  hide() {
    this.root.hidden = true;
    this.cell = null;
  }

  show(cell) {
    const { sight } = this.map;
    this.cell = cell;
    this.root.replaceChildren(...this.parts(cell));
    this.root.hidden = false;
    const side = cell.level.side * sight.scale;
    this.place(sight.x + cell.x * sight.scale, sight.y + cell.y * sight.scale, side);
  }

  // Beside the cell where there is room, else above or below it; always in the frame.
  place(left, top, side) {
    const { sight } = this.map;
    const { offsetWidth: width, offsetHeight: height } = this.root;
    const gap = 10;
    const [right, bottom] = [left + side, top + side];
    let [x, y] = [right + gap, top + side / 2 - height / 2];
    if (x + width > sight.width - 4) x = left - gap - width;
    if (x < 4) {
      x = left + side / 2 - width / 2;
      y = top - gap - height >= 4 || sight.height - bottom < top ? top - gap - height : bottom + gap;
    }
    this.root.style.left = `${within(x, 4, Math.max(4, sight.width - width - 4))}px`;
    this.root.style.top = `${within(y, 4, Math.max(4, sight.height - height - 4))}px`;
  }

  parts(cell) {
    const { labels, value } = this.map.data;
    const found = [element("div", "pictures", {}, ...KINDS.map((kind) => this.picture(kind, cell)).filter(Boolean)),
      element("div", "name", { textContent: labelOf(cell, labels) }),
      element("div", "", { textContent: samplesOf(cell) }),
      element("div", "", { textContent: `${mixedIn(cell)} (mixedness ${cell.mixedness.toFixed(2)})` })];
    const top = topOf(cell);
    if (top.length) found.push(this.bars(top));
    if (value && cell.value !== null) found.push(element("div", "", { textContent: `${value.title}: ${written(cell.value, true)}` }));
    if (cell.marked) found.push(element("div", "mark", { textContent: `! ${UNBEATEN}` }));
    return found;
  }

  picture(kind, cell) {
    if (!cell.level.has(kind, cell)) return null;
    const canvas = element("canvas", "", { width: 2 * PICTURE, height: 2 * PICTURE });
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    cell.level.draw(context, kind, cell, 0, 0, 2 * PICTURE);
    return element("figure", "", {}, canvas, element("figcaption", "", { textContent: kind === "inverted" ? "inverted" : "real patch" }));
  }

  // All bars of all cells are on one scale.
  bars(top) {
    const { labels } = this.map.data;
    const { low, high } = this.map.reach;
    const at = (one) => (100 * (one - low)) / (high - low || 1);
    const table = element("div", "bars");
    for (const [number, one] of top) {
      const bar = element("i", one < 0 ? "against" : "");
      bar.style.left = `${at(Math.min(0, one))}%`;
      bar.style.width = `${Math.abs(at(one) - at(0))}%`;
      const zero = element("b");
      zero.style.left = `${at(0)}%`;
      table.append(element("span", "class", { textContent: labels[number] }), element("span", "track", {}, bar, zero),
        element("span", "number", { textContent: written(one, true) }));
    }
    return table;
  }
}

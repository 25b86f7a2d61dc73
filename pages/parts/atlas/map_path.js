// A line across the map, and the cells under it.

class Path {
  constructor(map) {
    Object.assign(this, { map, line: [], cells: [], from: null });
  }

  // The line as it is drawn.
  trace(line) {
    this.line = line;
    this.map.redraw();
  }

  // A line that is drawn: the cells under it, each once, in order; without a line there is no path.
  walk(line) {
    const { map } = this;
    this.cells = this.under(line);
    this.line = this.cells.length ? line : [];
    this.from = null;
    map.strip.show(this.cells);
    map.tools.tell();
    map.announce(this.cells.length ? `The path leads over ${this.cells.length} cell${this.cells.length === 1 ? "" : "s"}.` : "There is no path.");
    map.report("path", this.cells.map((one) => one.place));
    map.redraw();
  }

  under(line) {
    const found = new Map();
    const step = this.map.level.side / 8;
    line.slice(1).forEach(([u, v], i) => {
      const [a, b] = line[i];
      const steps = Math.max(1, Math.ceil(Math.hypot(u - a, v - b) / step));
      for (let j = 0; j <= steps; j += 1) {
        const cell = this.map.cellOn(a + ((u - a) * j) / steps, b + ((v - b) * j) / steps);
        if (cell && !found.has(cell.name)) found.set(cell.name, cell);
      }
    });
    return [...found.values()];
  }

  // By keys: one cell's middle begins it, the next one's ends it.
  mark(u, v) {
    if (this.from) return this.walk([this.from, [u, v]]);
    this.from = [u, v];
    this.map.announce("The path begins here. Go on to its end and press Enter.");
  }
}

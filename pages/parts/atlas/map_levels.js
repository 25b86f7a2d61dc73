// A level's cells, where they are, and their pictures as these come.

// By the element that brought them, which has a script of its own (map_parts.js): numbers and sheets of pictures.
const parts = (globalThis[Symbol.for("loupe atlas parts")] ??= new Map());
const SHOWN = 5; // classes of a cell that are shown and searched
const KINDS = ["inverted", "patches"];

// In units of the map, which is 1 wide and high.
class Level {
  constructor(spec, { row, column, count, mixedness, label, classes, attributions }) {
    Object.assign(this, spec);
    this.side = 1 / this.grid;
    this.places = new Int32Array(this.grid ** 2).fill(-1);
    this.cells = row.map((_, i) => ({
      level: this, index: i, row: row[i], column: column[i], x: column[i] * this.side, y: row[i] * this.side, count: count[i],
      mixedness: mixedness[i], label: label[i], classes: classes[i], attributions: attributions[i], value: null, marked: false,
      name: `${this.grid} ${row[i]} ${column[i]}`, place: [this.grid, row[i], column[i]],
    }));
    for (const one of this.cells) this.places[one.row * this.grid + one.column] = one.index;
    this.most = Math.max(1, ...count);
    this.sheets = { inverted: [], patches: [] };
  }

  get(row, column) {
    if (row < 0 || column < 0 || row >= this.grid || column >= this.grid) return null;
    return this.cells[this.places[row * this.grid + column]] ?? null;
  }

  at(u, v) { return this.get(Math.floor(v * this.grid), Math.floor(u * this.grid)); }

  // The cells in a box of the map, row by row.
  *between(left, top, right, bottom) {
    const [first, last] = [left, right].map((one) => within(Math.floor(one * this.grid), 0, this.grid - 1));
    const [upper, lower] = [top, bottom].map((one) => within(Math.floor(one * this.grid), 0, this.grid - 1));
    for (let row = upper; row <= lower; row += 1) {
      for (let column = first; column <= last; column += 1) {
        const index = this.places[row * this.grid + column];
        if (index >= 0) yield this.cells[index];
      }
    }
  }

  // Whether a finer level has a cell wherever this one is.
  covered(cell, finer) {
    cell.under ??= new Map();
    if (!cell.under.has(finer)) {
      const slight = 1e-9;
      const first = (at) => Math.floor(at * finer.grid + slight);
      const last = (at) => Math.ceil((at + this.side) * finer.grid - slight);
      let all = true;
      for (let row = first(cell.y); row < last(cell.y); row += 1) {
        for (let column = first(cell.x); column < last(cell.x); column += 1) all &&= finer.get(row, column) !== null;
      }
      cell.under.set(finer, all);
    }
    return cell.under.get(finer);
  }

  // Takes what has come; `then` is called when a picture can be drawn.
  take(found, then) {
    const own = found.filter((part) => part.of === this.of);
    const values = own.find((part) => part.what === "values")?.values;
    const marks = new Set(own.find((part) => part.what === "marks")?.marks);
    for (const one of this.cells) Object.assign(one, { value: values?.[one.index] ?? null, marked: marks.has(one.index) });
    for (const kind of KINDS) {
      const come = own.filter((part) => part.what === kind);
      this.sheets[kind] = this.sheets[kind].map((one, i) => (come.some((part) => part.sheet === i) ? one : undefined));
      for (const part of come) this.load(kind, part, then);
    }
  }

  // The sheet that is there stays until the next one can be drawn.
  load(kind, { sheet, url, ready }, then) {
    const known = this.sheets[kind][sheet];
    if (known?.url === url) {
      known.ready = ready;
      return;
    }
    if (known?.coming === url) return;
    const image = new Image();
    const coming = this.sheets[kind][sheet] = { ...known, coming: url };
    image.src = url;
    image.decode().then(() => {
      if (this.sheets[kind][sheet]?.coming !== url) return;
      this.sheets[kind][sheet] = { url, ready, image };
      then();
    }, () => { delete coming.coming; });
  }

  any(kind) { return this.sheets[kind].some((one) => one?.image); }

  has(kind, { index }) {
    const one = this.sheets[kind][Math.floor(index / this.sheet)];
    return Boolean(one?.image) && one.ready?.[index % this.sheet] !== "0";
  }

  // Draws a cell's picture; false where there is none yet.
  draw(context, kind, cell, x, y, side) {
    if (!this.has(kind, cell)) return false;
    const at = cell.index % this.sheet;
    const { image } = this.sheets[kind][Math.floor(cell.index / this.sheet)];
    context.drawImage(image, (at % this.columns) * this.tile, Math.floor(at / this.columns) * this.tile, this.tile, this.tile, x, y, side, side);
    return true;
  }
}

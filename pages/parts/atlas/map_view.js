// The map of an activation atlas: what is shown is settled here, and the server hears of a chosen cell and a path.

const HELP = "Arrow keys move the map, + and − zoom, 0 shows the whole. Enter goes into the cells: then arrow keys go from cell to cell, Enter chooses, Escape leaves.";
const SETTLING = 150; // milliseconds after the last move, until colours are given to the labels in sight
const SCHEME = matchMedia("(prefers-color-scheme: dark)");

class AtlasMap {
  constructor(parent) {
    Object.assign(this, { levels: [], latest: { cell: 0, path: 0 }, wanted: "inverted", colour: "none", size: "alike", fixed: null, drawing: false,
      found: null, chosen: null, pointed: null, shown: 0, stamp: 0 });
    this.sight = new Sight();
    this.fading = new Fading();
    this.backing = new Backing();
    this.labels = new LabelColours();
    this.build();
    parent.append(this.root);
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.stage);
    // The page takes on the browser's other colours a moment later.
    this.recolour = () => setTimeout(() => this.refresh(), 300);
    SCHEME.addEventListener("change", this.recolour);
    this.brought = ({ detail }) => { if (detail === (this.coming ?? this.data)?.key) this.collect(); };
    addEventListener("loupe-atlas-parts", this.brought);
  }

  close() {
    this.observer.disconnect();
    SCHEME.removeEventListener("change", this.recolour);
    removeEventListener("loupe-atlas-parts", this.brought);
    clearTimeout(this.settling);
    cancelAnimationFrame(this.asked);
    this.root.remove();
  }

  build() {
    this.canvas = element("canvas", "", { tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.card = new Card(this);
    this.legend = new Legend(this);
    this.search = new Search(this);
    this.strip = new Strip(this);
    this.path = new Path(this);
    this.cursor = new Cursor(this);
    this.sentence = element("p", "hidden");
    this.stage = element("div", "stage", {}, this.canvas, this.sentence, this.card.root);
    this.said = element("p", "said");
    this.said.setAttribute("aria-live", "polite");
    const bar = element("div", "bar");
    this.root = element("div", "atlas", {}, bar, this.stage, this.legend.root, this.said, this.strip.root);
    this.tools = new Tools(this, bar);
    new Moves(this);
  }

  update(data, tell) {
    this.tell = tell;
    this.coming = data;
    this.collect();
  }

  // Shown when the numbers of all levels are there; pictures come when they are made.
  collect() {
    const data = this.coming ?? this.data;
    const come = [...parts.values()].filter((part) => part.key === data.key);
    const numbers = data.levels.map(({ of }) => come.find((part) => part.what === "cells" && part.of === of));
    if (!numbers.every(Boolean)) return;
    if (this.coming) this.adopt(data, numbers);
    for (const level of this.levels) level.take(come, () => this.refresh());
    this.reach = { low: 0, high: 0 };
    for (const cell of this.levels.flatMap(({ cells }) => cells)) {
      for (const [, one] of topOf(cell)) this.reach = { low: Math.min(this.reach.low, one), high: Math.max(this.reach.high, one) };
    }
    this.refresh();
  }

  adopt(data, numbers) {
    const before = this.levels;
    const same = JSON.stringify(data.levels.map(({ grid }) => grid)) === JSON.stringify(before.map(({ grid }) => grid));
    this.data = data;
    this.coming = null;
    this.levels = data.levels.map((spec, i) => before.find((one) => one.of === spec.of && one.sheet === spec.sheet) ?? new Level(spec, numbers[i].cells));
    if (!same) {
      this.fixed = null;
      this.sight.fitted = true;
      Object.assign(this.path, { line: [], cells: [] });
    }
    this.end = data.value?.end ?? 1;
    this.drop();
    this.chosen = data.seen.cell >= this.latest.cell ? data.chosen?.join(" ") : this.chosen;
    this.stage.style.setProperty("--most", `${data.height}px`);
    this.canvas.setAttribute("aria-label", `${data.label}. ${HELP}`);
    this.sentence.textContent = data.sentence;
    this.measure();
  }

  // What belongs to this atlas no longer, or has other numbers now.
  drop() {
    const now = (one) => one && this.named(one.name);
    this.path.cells = this.path.cells.map(now).filter(Boolean);
    this.cursor.cell = now(this.cursor.cell);
    this.pointed = null;
    this.card.hide();
    if (!this.data.value && this.colour === "value") this.colour = "none";
    if (!this.data.value && this.size === "value") this.size = "alike";
  }

  named(name) {
    const [grid, row, column] = name.split(" ").map(Number);
    return this.levels.find((one) => one.grid === grid)?.get(row, column) ?? null;
  }

  // The pictures that are shown: the real ones as long as there is no other.
  get kind() {
    const any = (kind) => this.levels.some((one) => one.any(kind));
    if (this.wanted !== "patches" && !any("inverted") && any("patches")) return "patches";
    return this.wanted !== "inverted" && !any("patches") ? "inverted" : this.wanted;
  }

  get level() { return this.levels[this.shown] ?? this.levels.at(-1); }

  measure() {
    const { clientWidth, clientHeight } = this.stage;
    if (!clientWidth || !this.data) return;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    [this.canvas.width, this.canvas.height] = [clientWidth, clientHeight].map((one) => Math.round(one * this.ratio));
    this.sight.resize(clientWidth, clientHeight, this.levels.at(-1).grid);
    this.draw(performance.now());
    this.moved();
  }

  // Everything anew, as pictures, switches or the page's colours are others.
  refresh() {
    if (!this.data || this.coming) return;
    this.ground = isDark(this.root) ? GROUNDS.dark : GROUNDS.light;
    this.target();
    this.labels.settle([...this.level.between(...this.sight.box)], this.data.colours);
    this.search.offer();
    this.search.find();
    this.tools.offer();
    this.legend.show();
    this.strip.show(this.path.cells);
    if (this.card.cell) this.card.show(this.card.cell);
    this.repaint();
  }

  set(changes) {
    const { kind, ...others } = changes;
    if (kind) this.wanted = kind;
    Object.assign(this, others);
    this.canvas.classList.toggle("drawing", this.drawing);
    this.path.from = null;
    this.touch();
    this.refresh();
  }

  // The level that is shown; a cursor goes on at the same place of the map.
  target() {
    const shown = Math.min(this.fixed ?? this.sight.levelOf(this.levels), this.levels.length - 1);
    if (shown === this.shown && this.canvas.dataset.level === String(this.level.grid)) return;
    this.shown = shown;
    this.canvas.dataset.level = this.level.grid;
    this.tools.tell();
    this.search.count();
    this.cursor.follow();
  }

  scene() {
    const { sight, levels, kind, colour, size, labels, found, ground, end } = this;
    return { sight, levels, kind, colour, size, labels, found, ground, end, opacity: this.fading.opacity };
  }

  // Painted anew, as something but the sight is another; the pointed cell, points and path lie above what is painted.
  repaint() {
    this.stamp += 1;
    this.redraw();
  }

  redraw() {
    this.asked ??= requestAnimationFrame((now) => this.draw(now));
  }

  draw(now) {
    this.asked = null;
    if (!this.data || !this.sight.width) return;
    this.ground ??= isDark(this.root) ? GROUNDS.dark : GROUNDS.light;
    this.target();
    const going = this.fading.step(this.levels, this.shown, now);
    const context = this.canvas.getContext("2d", { alpha: false });
    const scene = this.scene();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.backing.paint(scene, this.ratio, this.stamp), 0, 0);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    const chosen = this.chosen && this.named(this.chosen);
    if (chosen) outline(context, scene, chosen, 4, this.ground.accent);
    if (this.pointed) outline(context, scene, this.pointed, 2, this.ground.ink);
    paintPoints(context, scene, this.data);
    paintLine(context, scene, this.path.line);
    const zoom = (this.sight.scale / this.sight.whole).toFixed(2);
    if (this.canvas.dataset.zoom !== zoom) this.canvas.dataset.zoom = zoom;
    if (going) this.redraw();
  }

  // The cell at a place of the stage.
  cellAt(x, y) { return this.cellOn(...this.sight.toMap(x, y)); }

  // The cell at a place of the map: that of the shown level, or of the next coarser one that has any.
  cellOn(u, v) {
    if (u < 0 || v < 0 || u >= 1 || v >= 1) return null;
    for (let i = this.shown; i >= 0; i -= 1) {
      const cell = this.levels[i].at(u, v);
      if (cell) return cell;
    }
    return null;
  }

  point(cell, carded = true) {
    if (cell === this.pointed && (cell === this.card.cell || !carded)) return;
    this.pointed = cell;
    if (cell && carded) this.card.show(cell);
    else this.card.hide();
    this.redraw();
  }

  zoom(factor, x = this.sight.width / 2, y = this.sight.height / 2) {
    const pointed = this.pointed !== this.cursor.cell;
    this.sight.zoom(factor, x, y);
    this.moved();
    if (pointed) this.point(this.canvas.matches(":hover") ? this.cellAt(x, y) : null);
  }

  home() {
    this.sight.home();
    this.moved();
  }

  push(dx, dy) {
    this.sight.move(dx, dy);
    this.moved();
  }

  // A finger scrolls the page past the whole map, moves an enlarged one, and draws a path where that is asked for.
  touch() {
    this.canvas.style.touchAction = this.sight.fitted && !this.drawing ? "pan-y" : "none";
  }

  moved() {
    this.touch();
    this.redraw();
    this.target();
    if (this.card.cell && this.card.cell === this.cursor.cell) this.card.show(this.cursor.cell);
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.refresh(), SETTLING);
  }

  choose(cell) {
    this.chosen = cell && cell.name !== this.chosen ? cell.name : null;
    this.announce(this.chosen ? `Chosen. ${sentenceOf(cell, this.data)}` : "No cell is chosen.");
    this.report("cell", this.chosen ? cell.place : null);
    this.redraw();
  }

  report(what, said) {
    if (!this.data.hears.includes(what)) return;
    this.latest[what] = Math.max(Date.now(), this.latest[what] + 1, this.data.seen[what] + 1);
    this.tell(what, { id: this.latest[what], [what]: said });
  }

  announce(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }
}

// A layered graph: what is pointed at shows its paths, a click pins them, and the server hears of the pin alone.

const ZOOM = { least: 0.5, most: 8 }; // of the whole graph's
const STRONG = 0.25; // the largest edges of a crowded graph: this share is drawn in full
const CROWDED = 60; // edges that lead up to a row: beyond, they are thinner and fainter, so that none is a wall
const WIDE = 620; // a stage of so many pixels has room for names beside the rows
const NUMBERED = 34; // pixels of a picture under which there is room for its number
const NAME = 18; // characters of a layer's name in a line
// By the element that brought them, which has a script of its own (graph_pictures.js): of which graph, and its pictures.
const packs = (globalThis[Symbol.for("loupe graph pictures")] ??= new Map());

class Graph {
  constructor(parent) {
    this.data = { rows: [], seen: 0, pinned: null };
    this.latest = 0; // the number of what was last told
    this.vertices = [];
    this.edges = [];
    this.elements = new Map(); // of vertices, by their ids
    this.lines = new Map(); // of edges, by their ends
    this.view = { x: 0, y: 0, scale: 1 };
    this.fitted = true;
    this.least = { weight: 0, support: 0 };
    this.named = true;
    this.build();
    parent.append(this.root);
    this.observer = new ResizeObserver(() => { if (this.measure()) this.arrange(); });
    this.observer.observe(this.stage);
    this.escape = (event) => {
      if (event.key === "Escape" && this.pinned && this.root.matches(":hover, :focus-within")) this.pin(null);
    };
    addEventListener("keydown", this.escape);
    this.brought = ({ detail }) => { if (detail === this.data.key) this.fill(); };
    addEventListener("loupe-graph-pictures", this.brought);
  }

  close() {
    this.observer.disconnect();
    removeEventListener("keydown", this.escape);
    removeEventListener("loupe-graph-pictures", this.brought);
    this.root.remove();
  }

  build() {
    this.root = document.createElement("div");
    this.root.className = "graph";
    this.root.innerHTML = `<div class="bar" role="toolbar"></div>
      <div class="stage"><p class="sentence" id="sentence"></p><div class="card" hidden></div></div>
      <div class="foot"><div class="legend"></div><p class="said" aria-live="polite"></p></div>`;
    [this.bar, this.stage, this.foot] = this.root.children;
    [this.sentence, this.card] = this.stage.children;
    [this.legend, this.said] = this.foot.children;
    this.svg = made("svg", { role: "application", tabindex: -1, "aria-describedby": "sentence" });
    this.bands = made("g", { "aria-hidden": "true" });
    this.curves = made("g", { "aria-hidden": "true" });
    this.nodes = made("g");
    this.names = made("g", { class: "names", "aria-hidden": "true" });
    this.world = made("g", {}, this.curves, this.nodes);
    const round = made("clipPath", { id: "round", clipPathUnits: "objectBoundingBox" }, made("rect", { width: 1, height: 1, rx: 0.16 }));
    this.svg.append(made("defs", {}, round), this.bands, this.world, this.names);
    this.stage.prepend(this.svg);
    this.tools = new GraphTools(this, this.bar);
    new GraphMoves(this);
  }

  drawing() {
    // A line's colour hangs on the page's ground: it is asked of the legend's own.
    const colourOf = (line) => getComputedStyle(this.legend.querySelector(`.${line}`)).borderTopColor;
    const explained = this.explained().map((one) => (one.line ? { ...one, colour: colourOf(one.line) } : one));
    return standalone(this.svg, `${this.data.label}. ${this.data.sentence}`, explained);
  }

  // What the legend explains: a single group needs no words.
  explained() {
    const signs = this.data.signs ?? [];
    return [...(this.several ? this.looks.values() : []), ...signs.map((title, i) => ({ title, line: i ? "dashed" : "solid" }))];
  }

  update(data, tell) {
    const start = performance.now();
    const same = JSON.stringify(data.rows) === JSON.stringify(this.data.rows);
    this.tell = tell;
    this.data = data;
    this.stage.style.height = `min(${data.height}px, 85vh)`;
    // Asked before anything is drawn: afterwards the browser would have to lay it out twice.
    this.measure();
    this.svg.setAttribute("aria-label", `${data.label}. Tab goes from layer to layer, the arrow keys along a layer and its edges, Enter pins.`);
    this.sentence.textContent = data.sentence;
    this.read(data);
    const known = (id) => (this.vertices.some((one) => one.id === id) ? id : null);
    this.pinned = data.seen >= this.latest ? data.pinned : known(this.pinned);
    if (!same) this.fitted = true;
    this.show();
    this.arrange();
    performance.measure("loupe-graph", { start });
  }

  read(data) {
    this.vertices = data.vertices.map((one) => ({ ...one, inputs: [], outputs: [] }));
    this.rows = data.rows.map(() => []);
    for (const one of this.vertices) this.rows[one.row].push(one);
    this.edges = data.edges.map(([source, target, weight, support, group, negative, said]) =>
      ({ source: this.vertices[source], target: this.vertices[target], weight, support, group, negative, said }));
    this.edges.sort((one, two) => one.weight - two.weight);
    for (const edge of this.edges) {
      edge.source.outputs.push(edge);
      edge.target.inputs.push(edge);
    }
    // Each vertex stays tied to its strongest neighbours; of a crowded graph the rest is drawn faintly.
    const from = Math.floor(this.edges.length * (this.edges.length > 60 ? 1 - STRONG : 0.5));
    const upTo = this.rows.map((row) => row.reduce((sum, one) => sum + one.inputs.length, 0));
    this.edges.forEach((edge, i) => {
      edge.room = Math.sqrt(Math.min(1, CROWDED / upTo[edge.target.row]));
      edge.main = i >= from || edge === edge.target.inputs.at(-1) || edge === edge.source.outputs.at(-1);
    });
    this.tools.offer(data, [...this.vertices, ...this.edges].some((one) => one.support !== null));
    this.looks = new Map(data.groups.map((one) => [one.name, one]));
    this.several = data.groups.length > 1 || !this.looks.has("own");
  }

  // What was there stays the same element, so that neither focus nor pictures are lost, and little is to be laid out.
  show() {
    const active = this.root.getRootNode().activeElement;
    const [vertices, edges] = [this.elements, this.lines];
    this.elements = new Map();
    this.lines = new Map();
    for (const one of this.vertices) {
      one.element = vertices.get(one.id) ?? made("g", { class: "vertex", role: "button", "data-id": one.id });
      one.element.vertex = one;
      this.elements.set(one.id, one.element);
    }
    for (const edge of this.edges) {
      const name = JSON.stringify([edge.source.id, edge.target.id]);
      edge.element = edges.get(name) ?? made("path", { class: "edge" });
      edge.element.edge = edge;
      edge.element.classList.toggle("main", edge.main);
      edge.element.classList.toggle("negative", edge.negative);
      edge.element.classList.toggle("told", Boolean(edge.said));
      edge.element.style.setProperty("--w", edge.weight.toFixed(3));
      edge.element.style.setProperty("--room", edge.room.toFixed(3));
      this.tint(edge.element, edge.group);
      this.lines.set(name, edge.element);
    }
    this.hovered = this.elements.get(this.hovered?.id)?.vertex ?? null;
    this.current = this.rows.map((row) => row.find((one) => one.element.getAttribute("tabindex") === "0") ?? row[0]);
    adopt(this.curves, this.edges.map((edge) => edge.element));
    adopt(this.nodes, this.rows.map((row, i) => {
      const group = this.nodes.children[i] ?? made("g", { role: "group" });
      change(group, "aria-label", this.data.rows[i].title);
      adopt(group, row.map((one) => one.element));
      return group;
    }));
    if (active?.vertex && active !== this.root.getRootNode().activeElement) {
      this.elements.get(active.dataset.id)?.focus({ preventScroll: true });
    }
    this.key();
  }

  tint(element, group) {
    element.classList.toggle("grouped", this.several && element.matches(".vertex") || !["own", "shared"].includes(group));
    element.style.setProperty("--group", this.looks.get(group).colour);
    element.classList.toggle("path", group === "path");
  }

  key() {
    this.legend.replaceChildren(...this.explained().map(({ title, colour, sign, ink, line }) => {
      const one = document.createElement("span");
      const mark = Object.assign(document.createElement("i"), { textContent: sign ?? "", className: line ?? "" });
      if (!line) Object.assign(mark.style, { background: colour, color: ink });
      one.append(mark, title);
      return one;
    }));
  }

  measure() {
    const { clientWidth, clientHeight } = this.stage;
    const changed = this.width !== clientWidth || this.height !== clientHeight;
    [this.width, this.height] = [clientWidth, clientHeight];
    this.family = getComputedStyle(this.root).fontFamily;
    return changed;
  }

  arrange() {
    if (!this.rows?.length || !this.width || !this.height) return this.clear();
    const beside = this.named && this.width > WIDE;
    this.drawNames();
    this.gutter = beside ? Math.max(...[...this.names.children].map((one) => one.wide)) + 12 : 0;
    this.top = this.named && !beside ? 30 : 18;
    this.placed = place(this.rows, ...this.room());
    this.fill();
    for (const one of this.vertices) {
      spread([...one.inputs], "target", "source");
      spread([...one.outputs], "source", "target");
    }
    for (const edge of this.edges) change(edge.element, "d", curve(edge));
    this.whole = this.wholeView();
    if (this.fitted) this.view = { ...this.whole };
    this.bands.replaceChildren(...this.placed.bands.map(() => made("rect", { class: "band", width: this.width, rx: 6 })));
    this.filter();
    this.move();
  }

  clear() {
    this.placed = null;
    adopt(this.bands, []);
    adopt(this.names, []);
  }

  // What is left of the stage beside the names, less a margin.
  room() {
    return [Math.max(120, this.width - this.gutter - 24), Math.max(120, this.height - this.top - 18)];
  }

  // Pictures come when they are made: nothing moves for them.
  fill() {
    if (!this.placed) return;
    const mine = [...packs.values()].filter((pack) => pack.key === this.data.key);
    this.pictures = new Map(mine.flatMap((pack) => Object.entries(pack.pictures)));
    for (const one of this.vertices) this.drawVertex(one);
    if (this.hovered) this.describe(this.hovered);
  }

  drawVertex(one) {
    const { element, side } = one;
    const picture = one.picture = this.pictures.get(one.id) ?? "";
    const half = side / 2;
    change(element, "transform", `translate(${one.x.toFixed(1)} ${one.y.toFixed(1)})`);
    change(element, "aria-label", this.words(one).join(". "));
    const drawn = JSON.stringify([side, picture, one.group, one.channel, this.several]);
    if (element.drawn === drawn) return;
    element.drawn = drawn;
    this.tint(element, one.group);
    const square = (name, grown) => made("rect", { class: name, x: -half - grown, y: -half - grown, width: side + 2 * grown, height: side + 2 * grown, rx: 0.16 * side + grown });
    const parts = [square("halo", 3), square("ground", 0)];
    const number = made("text", { class: picture ? "number under" : "number", y: picture ? half + 10 : 0 });
    number.textContent = one.channel;
    if (picture) parts.push(made("image", { href: picture, x: -half, y: -half, width: side, height: side, "clip-path": "url(#round)", preserveAspectRatio: "xMidYMid slice" }));
    else number.setAttribute("font-size", Math.min(20, (1.4 * side) / Math.max(3, String(one.channel).length)).toFixed(1));
    parts.push(square("frame", 0), number);
    if (this.several) {
      const { sign, ink } = this.looks.get(one.group);
      const letter = made("text", { class: "sign", fill: ink });
      letter.textContent = sign;
      parts.push(made("g", { class: "badge", transform: `translate(${half - 2} ${2 - half})` }, made("circle", { r: 7.5 }), letter));
    }
    element.replaceChildren(...parts);
  }

  // In the stage's pixels, so that they stay at its left and as large as they are.
  drawNames() {
    const beside = this.named && this.width > WIDE;
    this.names.style.display = this.named ? "" : "none";
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `600 13px ${this.family}`;
    this.names.replaceChildren(...this.data.rows.map(({ title }, i) => {
      const count = this.rows[i].length;
      const lines = beside ? [...broken(title, NAME), `${count} channel${count === 1 ? "" : "s"}`] : [`${broken(title, 30, 1)[0]} · ${count}`];
      const height = 15 * lines.length + 4;
      const top = beside ? -height / 2 : -height;
      const wide = Math.max(...lines.map((line) => pen.measureText(line).width)) + 12;
      const whole = made("title");
      whole.textContent = title;
      const back = made("rect", { class: "back", x: 6, y: top, width: wide, height, rx: 4 });
      return Object.assign(made("g", {}, whole, back, ...lines.map((line, j) => {
        const text = made("text", { x: 12, y: top + 14 + 15 * j, class: beside && j === lines.length - 1 ? "count" : "" });
        text.textContent = line;
        return text;
      })), { wide });
    }));
  }

  wholeView() {
    const { left, right, top, bottom } = this.placed.box;
    const [width, height] = this.room();
    const scale = Math.min(width / (right - left), height / (bottom - top), LARGEST);
    return { scale, x: this.gutter + 12 + width / 2, y: this.top + height / 2 - (scale * (top + bottom)) / 2 };
  }

  fit() {
    if (!this.placed) return;
    this.fitted = true;
    this.view = { ...this.whole };
    this.move();
  }

  move() {
    const { view, placed } = this;
    const { left, right, top, bottom } = placed.box;
    const edge = 60; // so much of the graph stays in sight
    view.x = Math.min(Math.max(view.x, edge - right * view.scale), this.width - edge - left * view.scale);
    view.y = Math.min(Math.max(view.y, edge - bottom * view.scale), this.height - edge - top * view.scale);
    // An enlarged graph has more room between its edges: they and the numbers grow by less than the pictures.
    this.world.style.setProperty("--z", Math.min(1, Math.sqrt(this.whole.scale / view.scale)).toFixed(3));
    this.world.setAttribute("transform", `translate(${view.x.toFixed(2)} ${view.y.toFixed(2)}) scale(${view.scale.toFixed(4)})`);
    const beside = this.named && this.width > WIDE;
    placed.bands.forEach((band, i) => {
      const [from, to] = [view.y + view.scale * band.top, view.y + view.scale * band.bottom];
      this.bands.children[i].setAttribute("y", from - 4);
      this.bands.children[i].setAttribute("height", to - from + 8);
      this.names.children[i].setAttribute("transform", `translate(0 ${beside ? (from + to) / 2 : from - 5})`);
    });
    this.nodes.classList.toggle("numbered", view.scale * SIDE.most * 0.75 > NUMBERED);
    // A finger scrolls the page past the whole graph, and moves an enlarged one.
    this.svg.style.touchAction = this.fitted ? "pan-y" : "none";
    if (this.hovered) this.describe(this.hovered);
  }

  zoom(factor, x, y) {
    if (!this.placed) return;
    const { view, whole } = this;
    const scale = Math.min(ZOOM.most * whole.scale, Math.max(ZOOM.least * whole.scale, view.scale * factor));
    this.view = { scale, x: x - ((x - view.x) * scale) / view.scale, y: y - ((y - view.y) * scale) / view.scale };
    this.fitted = false;
    this.move();
  }

  filter() {
    if (!this.placed) return;
    const below = (one) => one.support !== null && one.support < this.least.support;
    for (const one of this.vertices) one.hidden = below(one);
    let shown = 0;
    for (const edge of this.edges) {
      edge.hidden = edge.weight < this.least.weight || below(edge) || edge.source.hidden || edge.target.hidden;
      edge.element.style.display = edge.hidden ? "none" : "";
      shown += !edge.hidden;
    }
    for (const one of this.vertices) {
      one.element.style.display = one.hidden ? "none" : "";
      const edges = [...one.inputs, ...one.outputs];
      one.element.classList.toggle("alone", edges.length > 0 && edges.every((edge) => edge.hidden));
    }
    this.tools.tell(this.least, shown, this.edges.length);
    if (this.hovered?.hidden || !this.vertices.includes(this.hovered)) this.hovered = null;
    this.rove();
    this.light();
  }

  // Tab comes to one vertex of each row: the one that was last there.
  rove() {
    this.rows.forEach((row, i) => {
      if (!this.current[i] || this.current[i].hidden) this.current[i] = row.find((one) => !one.hidden);
      for (const one of row) change(one.element, "tabindex", one === this.current[i] ? "0" : "-1");
    });
  }

  light() {
    const pinned = this.elements.get(this.pinned)?.vertex;
    const of = this.hovered ?? pinned;
    this.svg.classList.toggle("lit", Boolean(of));
    const paths = of ? pathsThrough(of, this.rows) : new Map();
    const on = new Set([of]);
    for (const edge of this.edges) {
      edge.element.classList.toggle("on", paths.has(edge));
      edge.element.classList.toggle("near", paths.has(edge) && (edge.source === of || edge.target === of));
      if (!paths.has(edge)) continue;
      edge.element.style.setProperty("--reach", paths.get(edge).toFixed(3));
      on.add(edge.source).add(edge.target);
    }
    for (const one of this.vertices) {
      one.element.classList.toggle("on", on.has(one));
      one.element.classList.toggle("centre", one === of);
      one.element.classList.toggle("pinned", one === pinned);
      change(one.element, "aria-pressed", String(one === pinned));
    }
    if (this.hovered) this.describe(this.hovered);
    else this.card.hidden = true;
    const said = pinned ? `Pinned: ${this.data.rows[pinned.row].title}, channel ${pinned.channel}. Escape frees it.` : "";
    if (this.said.textContent !== said) this.said.textContent = said;
  }

  hover(vertex, byKey = false) {
    this.byKey = byKey;
    if (vertex === this.hovered) return;
    this.hovered = vertex;
    this.light();
  }

  words({ row, channel, lines }) {
    return lines.length ? lines : [`${this.data.rows[row].title}, channel ${channel}`];
  }

  describe(vertex) {
    const { view } = this;
    this.tellAt(this.words(vertex), vertex.picture, view.x + view.scale * vertex.x, view.y + view.scale * vertex.y, (view.scale * vertex.side) / 2 + 10);
  }

  // An edge is told where it is pointed at: it leads past much else.
  pointAt(edge, [x, y]) {
    if (this.hovered) return;
    if (edge) this.tellAt([edge.said], "", x, y, 14);
    else this.card.hidden = true;
  }

  tellAt(lines, picture, x, y, half) {
    const parts = lines.map((line) => Object.assign(document.createElement("div"), { textContent: line }));
    if (picture) parts.unshift(Object.assign(new Image(), { src: picture, alt: "" }));
    this.card.replaceChildren(...parts);
    this.card.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.card;
    const left = x + half + width < this.width ? x + half : x - half - width;
    this.card.style.left = `${Math.min(Math.max(4, left), Math.max(4, this.width - width - 4))}px`;
    this.card.style.top = `${Math.min(Math.max(4, y - height / 2), Math.max(4, this.height - height - 4))}px`;
  }

  pin(vertex) {
    const id = vertex && vertex.id !== this.pinned ? vertex.id : null;
    this.pinned = id;
    this.latest = Math.max(Date.now(), this.latest + 1, this.data.seen + 1);
    this.tell("pinned", { id: this.latest, vertex: id });
    this.light();
  }

  // Move an enlarged graph so that the vertex is in sight.
  reveal(vertex) {
    const { view } = this;
    const half = (view.scale * vertex.side) / 2 + 8;
    const [x, y] = [view.x + view.scale * vertex.x, view.y + view.scale * vertex.y];
    const shift = (at, low, high) => (at < low ? low - at : at > high ? high - at : 0);
    const [dx, dy] = [shift(x, this.gutter + half, this.width - half), shift(y, half, this.height - half)];
    if (!dx && !dy) return;
    view.x += dx;
    view.y += dy;
    this.fitted = false;
    this.move();
  }
}

const mounted = new Map();

export default function ({ data, parentElement, setStateValue }) {
  if (!mounted.has(parentElement)) mounted.set(parentElement, new Graph(parentElement));
  const graph = mounted.get(parentElement);
  graph.update(data, setStateValue);
  return () => {
    mounted.delete(parentElement);
    graph.close();
  };
}

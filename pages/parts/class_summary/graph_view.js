// A layered graph: what is pointed at shows its paths, a click pins them, and the server hears of the pin alone.

const STILL = 4; // pixels that a click may move
const SCROLLING = 250; // milliseconds: a page that is being scrolled is not caught by a graph that comes under the pointer
const ZOOM = { least: 0.5, most: 8 }; // of the whole graph's
const STRONG = 0.25; // the largest edges of a crowded graph: this share is drawn in full
const WIDE = 620; // a stage of so many pixels has room for names beside the rows
const NUMBERED = 34; // pixels of a picture under which there is room for its number
const NAME = 18; // characters of a layer's name in a line
const packs = new Map(); // by the element that brought them: of which graph, and its vertices' pictures
let lastWheel = { time: 0, target: null };

addEventListener("wheel", (event) => {
  const target = event.composedPath().find((one) => one.matches?.(".graph")) ?? null;
  if (event.timeStamp - lastWheel.time > SCROLLING) lastWheel.target = target;
  lastWheel.time = event.timeStamp;
}, { capture: true, passive: true });

class Graph {
  constructor(parent) {
    this.data = { rows: [], seen: 0, pinned: null };
    this.latest = 0; // the number of what was last told
    this.vertices = [];
    this.edges = [];
    this.elements = new Map();
    this.pointers = new Map();
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
  }

  close() {
    this.observer.disconnect();
    removeEventListener("keydown", this.escape);
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
    this.tools();
    this.listen();
  }

  tools() {
    const group = (...all) => {
      const one = document.createElement("span");
      one.className = "group";
      one.append(...all);
      this.bar.append(one);
      return one;
    };
    const button = (text, title, act) => {
      const one = Object.assign(document.createElement("button"), { type: "button", textContent: text, title, onclick: act });
      one.setAttribute("aria-label", title);
      return one;
    };
    const middle = () => [this.width / 2, this.height / 2];
    group(button("+", "Enlarge", () => this.zoom(1.4, ...middle())), button("−", "Shrink", () => this.zoom(1 / 1.4, ...middle())),
      button("Fit", "Fit: show the whole graph", () => this.fit()));
    this.weight = this.slider("Least weight", (share) => { this.least.weight = share ** 2; });
    this.support = this.slider("Least support", (share) => { this.least.support = share; });
    const names = document.createElement("label");
    names.innerHTML = `<input type="checkbox" checked> Layer names`;
    names.firstElementChild.onchange = (event) => { this.named = event.target.checked; this.arrange(); };
    this.bar.append(names);
    group(button("PNG", "PNG: save what is shown as a picture", () => savePng(this.svg, this.title(), this.data.file)),
      button("SVG", "SVG: save what is shown as a drawing", () => saveSvg(this.svg, this.title(), this.data.file)),
      this.json = button("JSON", "JSON: save the graph's numbers", () =>
        save(new Blob([this.data.json], { type: "application/json" }), `${this.data.file}.json`)));
  }

  // It moves finely where most edges are, among the small ones; what it stands at is written beside it.
  slider(title, take) {
    const label = document.createElement("label");
    label.innerHTML = `${title} <input type="range" min="0" max="100" value="0"><output></output>`;
    const [input, output] = label.children;
    input.oninput = () => { take(input.value / 100); this.filter(); };
    this.bar.append(label);
    return { label, input, output };
  }

  title() {
    return `${this.data.label}. ${this.data.sentence}`;
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
    this.bar.setAttribute("aria-label", data.label);
    this.json.hidden = data.json === null;
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
    this.edges = data.edges.map(([source, target, weight, support, group]) =>
      ({ source: this.vertices[source], target: this.vertices[target], weight, support, group }));
    this.edges.sort((one, two) => one.weight - two.weight);
    for (const edge of this.edges) {
      edge.source.outputs.push(edge);
      edge.target.inputs.push(edge);
    }
    // Each vertex stays tied to its strongest neighbours; of a crowded graph the rest is drawn faintly.
    const from = Math.floor(this.edges.length * (this.edges.length > 60 ? 1 - STRONG : 0.5));
    this.edges.forEach((edge, i) => {
      edge.main = i >= from || edge === edge.target.inputs.at(-1) || edge === edge.source.outputs.at(-1);
    });
    const supported = [...this.vertices, ...this.edges].some((one) => one.support !== null);
    this.support.label.hidden = !supported;
    if (!supported) this.support.input.value = this.least.support = 0;
    this.looks = new Map(data.groups.map((one) => [one.name, one]));
    this.several = data.groups.length > 1 || !this.looks.has("own");
  }

  // Vertices that were there stay the same elements, so that neither focus nor pictures are lost.
  show() {
    const old = this.elements;
    const focused = this.root.getRootNode().activeElement?.closest?.(".vertex")?.dataset.id;
    for (const one of this.vertices) {
      one.element = old.get(one.id) ?? made("g", { class: "vertex", role: "button", "data-id": one.id });
      one.element.vertex = one;
    }
    for (const edge of this.edges) {
      edge.element = made("path", { class: edge.main ? "edge main" : "edge" });
      edge.element.style.setProperty("--w", edge.weight.toFixed(3));
      this.tint(edge.element, edge.group);
    }
    this.elements = new Map(this.vertices.map((one) => [one.id, one.element]));
    this.hovered = this.elements.get(this.hovered?.id)?.vertex ?? null;
    this.current = this.rows.map((row) => row.find((one) => one.element.getAttribute("tabindex") === "0") ?? row[0]);
    this.curves.replaceChildren(...this.edges.map((edge) => edge.element));
    this.nodes.replaceChildren(...this.rows.map((row, i) =>
      made("g", { role: "group", "aria-label": this.data.rows[i].title }, ...row.map((one) => one.element))));
    this.elements.get(focused)?.focus({ preventScroll: true });
    this.key();
  }

  tint(element, group) {
    element.classList.toggle("grouped", this.several && element.matches(".vertex") || !["own", "shared"].includes(group));
    element.style.setProperty("--group", this.looks.get(group).colour);
    element.classList.toggle("path", group === "path");
  }

  key() {
    this.legend.replaceChildren(...(this.several ? [...this.looks.values()] : []).map(({ title, colour, sign, ink }) => {
      const one = document.createElement("span");
      const mark = Object.assign(document.createElement("i"), { textContent: sign });
      Object.assign(mark.style, { background: colour, color: ink });
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
    if (!this.data.rows.length || !this.width || !this.height) return;
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
    for (const edge of this.edges) edge.element.setAttribute("d", curve(edge));
    this.whole = this.wholeView();
    if (this.fitted) this.view = { ...this.whole };
    this.bands.replaceChildren(...this.placed.bands.map(() => made("rect", { class: "band", width: this.width, rx: 6 })));
    this.filter();
    this.move();
  }

  // What is left of the stage beside the names, less a margin.
  room() {
    return [Math.max(120, this.width - this.gutter - 24), Math.max(120, this.height - this.top - 18)];
  }

  fill() {
    const mine = [...packs.values()].filter((pack) => pack.key === this.data.key);
    this.pictures = new Map(mine.flatMap((pack) => Object.entries(pack.pictures)));
    for (const one of this.vertices) this.drawVertex(one);
    if (this.hovered) this.describe(this.hovered);
  }

  drawVertex(one) {
    const { element, side } = one;
    const picture = one.picture = this.pictures.get(one.id) ?? "";
    const half = side / 2;
    element.setAttribute("transform", `translate(${one.x.toFixed(1)} ${one.y.toFixed(1)})`);
    element.setAttribute("aria-label", this.lines(one).join(". "));
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
    const { view, whole } = this;
    const scale = Math.min(ZOOM.most * whole.scale, Math.max(ZOOM.least * whole.scale, view.scale * factor));
    this.view = { scale, x: x - ((x - view.x) * scale) / view.scale, y: y - ((y - view.y) * scale) / view.scale };
    this.fitted = false;
    this.move();
  }

  filter() {
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
    this.weight.output.textContent = `${this.least.weight.toFixed(2)}: ${shown} of ${this.edges.length} edges`;
    this.support.output.textContent = this.least.support.toFixed(2);
    if (this.hovered?.hidden || !this.vertices.includes(this.hovered)) this.hovered = null;
    this.rove();
    this.light();
  }

  // Tab comes to one vertex of each row: the one that was last there.
  rove() {
    this.rows.forEach((row, i) => {
      if (!this.current[i] || this.current[i].hidden) this.current[i] = row.find((one) => !one.hidden);
      for (const one of row) one.element.setAttribute("tabindex", one === this.current[i] ? "0" : "-1");
    });
  }

  light() {
    const pinned = this.elements.get(this.pinned)?.vertex;
    const of = this.hovered ?? pinned;
    this.svg.classList.toggle("lit", Boolean(of));
    const paths = of ? pathsThrough(of) : new Map();
    const on = new Set([of]);
    for (const edge of this.edges) {
      edge.element.classList.toggle("on", paths.has(edge));
      edge.element.classList.toggle("near", paths.get(edge) === true);
      if (paths.has(edge)) on.add(edge.source).add(edge.target);
    }
    for (const one of this.vertices) {
      one.element.classList.toggle("on", on.has(one));
      one.element.classList.toggle("centre", one === of);
      one.element.classList.toggle("pinned", one === pinned);
      one.element.setAttribute("aria-pressed", String(one === pinned));
    }
    if (this.hovered) this.describe(this.hovered);
    else this.card.hidden = true;
    const said = pinned ? `Pinned: ${this.data.rows[pinned.row].title}, channel ${pinned.channel}. Escape frees it.` : "";
    if (this.said.textContent !== said) this.said.textContent = said;
  }

  hover(vertex) {
    if (vertex === this.hovered) return;
    this.hovered = vertex;
    this.light();
  }

  lines({ row, channel, lines }) {
    return lines.length ? lines : [`${this.data.rows[row].title}, channel ${channel}`];
  }

  describe(vertex) {
    const parts = this.lines(vertex).map((line) => Object.assign(document.createElement("div"), { textContent: line }));
    if (vertex.picture) parts.unshift(Object.assign(new Image(), { src: vertex.picture, alt: "" }));
    this.card.replaceChildren(...parts);
    this.card.hidden = false;
    const { view } = this;
    const [x, y, half] = [view.x + view.scale * vertex.x, view.y + view.scale * vertex.y, (view.scale * vertex.side) / 2 + 10];
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

  listen() {
    const { svg } = this;
    const vertexOf = (event) => event.target.closest?.(".vertex")?.vertex ?? null;
    const spot = (event) => {
      const { left, top } = svg.getBoundingClientRect();
      return [event.clientX - left, event.clientY - top];
    };
    svg.onpointerover = (event) => { if (!this.dragged) this.hover(vertexOf(event)); };
    svg.onpointerleave = () => this.hover(null);
    svg.addEventListener("focusin", (event) => {
      const vertex = vertexOf(event);
      if (!vertex || !vertex.element.matches(":focus-visible")) return;
      this.current[vertex.row] = vertex;
      this.rove();
      this.reveal(vertex);
      this.hover(vertex);
    });
    svg.addEventListener("focusout", () => this.hover(null));
    svg.onpointerdown = (event) => {
      if (event.button !== 0) return;
      this.pointers.set(event.pointerId, spot(event));
      if (this.pointers.size === 1) this.dragged = false;
      this.start = spot(event);
    };
    svg.onpointermove = (event) => this.drag(event, spot(event));
    const release = (event) => {
      if (!this.pointers.delete(event.pointerId) || this.pointers.size) return;
      svg.classList.remove("moving");
      // The click that follows still asks whether this was one.
      setTimeout(() => { this.dragged = false; });
    };
    svg.onpointerup = svg.onpointercancel = release;
    svg.onclick = (event) => {
      const vertex = vertexOf(event);
      if (this.dragged || !vertex) return;
      this.hover(vertex);
      this.pin(vertex);
    };
    svg.ondblclick = (event) => { if (!vertexOf(event)) this.fit(); };
    svg.addEventListener("wheel", (event) => this.wheel(event, spot(event)), { passive: false });
    svg.onkeydown = (event) => this.press(event, vertexOf(event));
  }

  drag(event, now) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    if (!this.dragged && this.pointers.size === 1 && Math.hypot(now[0] - this.start[0], now[1] - this.start[1]) < STILL) return;
    if (!this.dragged) {
      this.dragged = true;
      this.svg.setPointerCapture(event.pointerId);
      this.svg.classList.add("moving");
      this.hover(null);
    }
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    const share = other ? 0.5 : 1;
    this.view.x += share * (now[0] - before[0]);
    this.view.y += share * (now[1] - before[1]);
    this.fitted = false;
    if (!other) return this.move();
    const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    this.zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }

  wheel(event, [x, y]) {
    const out = event.deltaY > 0;
    // At the whole graph, scrolling on leads on down the page.
    if ((out && this.view.scale <= this.whole.scale && !event.ctrlKey) || lastWheel.target !== this.root) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1);
    const factor = Math.exp(-Math.min(200, Math.max(-200, pixels)) * (event.ctrlKey ? 0.01 : 0.0022));
    if (this.view.scale * factor <= this.whole.scale && out) this.fit();
    else this.zoom(factor, x, y);
  }

  press(event, vertex) {
    const zooms = { "+": 1.25, "=": 1.25, "-": 0.8 };
    if (zooms[event.key]) this.zoom(zooms[event.key], this.width / 2, this.height / 2);
    else if (event.key === "0") this.fit();
    else if (vertex && (event.key === "Enter" || event.key === " ")) this.pin(vertex);
    else if (vertex && event.key.startsWith("Arrow")) this.next(vertex, event.key)?.element.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Along the row, or along the strongest edge up or down; where there is none, to the nearest of the next row.
  next(vertex, key) {
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const row = this.rows[vertex.row].filter((one) => !one.hidden);
      return row[row.indexOf(vertex) + (key === "ArrowLeft" ? -1 : 1)];
    }
    const up = key === "ArrowUp";
    const edge = vertex[up ? "outputs" : "inputs"].findLast((one) => !one.hidden);
    if (edge) return edge[up ? "target" : "source"];
    const beyond = (this.rows[vertex.row + (up ? -1 : 1)] ?? []).filter((one) => !one.hidden);
    return beyond.sort((one, two) => Math.abs(one.x - vertex.x) - Math.abs(two.x - vertex.x))[0];
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

// An element of the page brings either a graph, or the pictures of a row of one.
export default function ({ data, parentElement, setStateValue }) {
  if (data.pictures) {
    packs.set(parentElement, data);
    for (const graph of mounted.values()) if (graph.data.key === data.key) graph.fill();
    return () => packs.delete(parentElement);
  }
  if (!mounted.has(parentElement)) mounted.set(parentElement, new Graph(parentElement));
  const graph = mounted.get(parentElement);
  graph.update(data, setStateValue);
  return () => {
    mounted.delete(parentElement);
    graph.close();
  };
}

// A picture to draw on: each finished shape is told to the server once, in the picture's own coordinates.

const TOOLS = {
  brush: { title: "Brush", keys: "Space puts a dab" },
  rectangle: { title: "Rectangle", keys: "Space sets a corner, then the opposite one" },
  lasso: { title: "Lasso", keys: "Space sets a corner, Enter closes the outline" },
  stamp: { title: "Put", keys: "Space puts it there" },
};
const COARSE = 100; // a picture of fewer pixels is shown with sharp ones
const STEP = 0.5; // pixels of the picture between two points of a line, at least
const TALLEST = 0.68; // of the window's height
const tenth = (number) => Math.round(number * 10) / 10;

class Canvas {
  constructor(root) {
    this.root = root;
    this.pending = []; // told, and not yet answered
    this.data = { tools: [], shapes: [], seen: 0 };
    this.cursor = null;
    this.line = null;
    this.build();
  }

  build() {
    this.root.classList.add("canvas");
    this.root.innerHTML = `<div class="bar" role="toolbar"></div>
      <div class="sheet"><img alt="" draggable="false"><canvas class="paper" tabindex="0" role="application"></canvas></div>
      <div class="foot"><p class="said" aria-live="polite"></p></div>`;
    [this.bar, this.sheet, this.foot] = this.root.children;
    [this.said] = this.foot.children;
    [this.picture, this.paper] = this.sheet.children;
    this.paper.onpointerdown = (event) => this.down(event);
    this.paper.onpointermove = (event) => this.move(event);
    this.paper.onpointerup = () => this.up();
    this.paper.onpointercancel = () => { this.line = null; this.paint(); };
    this.paper.onpointerleave = () => { if (!this.line) { this.cursor = null; this.paint(); } };
    this.paper.onkeydown = (event) => this.key(event);
    this.paper.onblur = () => { if (!this.line) { this.cursor = null; this.paint(); } };
    new ResizeObserver(() => this.paint()).observe(this.sheet);
  }

  update(data, tell) {
    const frame = ({ tools, undo, width, height }) => JSON.stringify([tools, undo, width, height]);
    const changed = frame(data) !== frame(this.data);
    if (data.picture !== this.data.picture) this.picture.src = data.picture;
    if (data.stamp?.picture !== this.data.stamp?.picture) {
      this.stamp = data.stamp ? Object.assign(new Image(), { src: data.stamp.picture, onload: () => this.paint() }) : null;
    }
    this.data = data;
    this.tell = tell;
    this.radius ??= data.radius;
    if (!data.tools.includes(this.tool)) [this.tool] = data.tools;
    // What the server has answered is in the picture, or among its shapes; once that is shown, our own ink may go.
    const answered = () => {
      this.pending = this.pending.filter((one) => one.id > data.seen);
      this.paint();
    };
    this.picture.decode().then(answered, answered);
    this.picture.className = Math.min(data.width, data.height) < COARSE ? "coarse" : "";
    this.sheet.style.aspectRatio = `${data.width} / ${data.height}`;
    this.sheet.style.width = `min(100%, ${(window.innerHeight * TALLEST * data.width) / data.height}px)`;
    this.paper.setAttribute("aria-label", `${data.label}. Arrow keys move, with Shift in larger steps.`);
    if (changed || !this.bar.children.length) this.buttons();
    this.press();
    this.paint();
  }

  buttons() {
    this.bar.replaceChildren();
    this.bar.setAttribute("aria-label", this.data.label);
    this.choices = this.data.tools.length > 1 ? this.data.tools.map((tool) => {
      const take = () => { this.tool = tool; this.line = null; this.press(); this.paint(); };
      const button = this.button(this.bar, TOOLS[tool].title, take);
      button.dataset.tool = tool;
      return button;
    }) : [];
    this.size = document.createElement("label");
    this.size.innerHTML = `Size <input type="range" min="0" max="100" aria-label="Brush size">`;
    // By equal steps the size grows by equal factors: from half a pixel of the radius to a third of the picture.
    const largest = Math.max(this.data.width, this.data.height) / 3;
    const slider = this.size.lastElementChild;
    slider.value = (100 * Math.log(this.radius / 0.5)) / Math.log(largest / 0.5);
    slider.oninput = () => {
      this.radius = tenth(0.5 * (largest / 0.5) ** (slider.value / 100));
      this.cursor = [this.data.width / 2, this.data.height / 2];
      this.paint();
    };
    this.bar.append(this.size);
    this.foot.replaceChildren(this.said);
    if (!this.data.undo) return;
    this.undo = this.button(this.foot, "Undo", () => this.send({ kind: "undo" }));
    this.clear = this.button(this.foot, "Clear", () => this.send({ kind: "clear" }));
  }

  button(place, title, act) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: title, onclick: act });
    place.append(button);
    return button;
  }

  press() {
    for (const button of this.choices) button.setAttribute("aria-pressed", String(button.dataset.tool === this.tool));
    this.size.style.display = this.tool === "brush" ? "" : "none";
    if (this.undo) this.undo.disabled = this.clear.disabled = !this.data.count && !this.pending.length;
  }

  send(message) {
    this.latest = Math.max(Date.now(), (this.latest ?? 0) + 1, this.data.seen + 1);
    this.pending.push({ id: this.latest, ...message });
    // All that is unanswered goes along, so that nothing is lost when two shapes follow each other quickly.
    this.tell("drawn", this.pending);
    this.press();
    this.paint();
  }

  finish(kind, points) {
    this.line = null;
    const message = { kind, points: points.map(([x, y]) => [tenth(x), tenth(y)]) };
    this.send(kind === "brush" ? { ...message, radius: tenth(this.radius) } : message);
  }

  place(event) {
    const { left, top, width, height } = this.paper.getBoundingClientRect();
    const x = ((event.clientX - left) / width) * this.data.width;
    const y = ((event.clientY - top) / height) * this.data.height;
    return this.within([x, y]);
  }

  // A brush may leave the picture by its own radius, everything else ends at the edge.
  within([x, y]) {
    const beyond = this.tool === "brush" ? this.radius : 0;
    const { width, height } = this.data;
    return [Math.min(Math.max(x, -beyond), width + beyond), Math.min(Math.max(y, -beyond), height + beyond)];
  }

  down(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    this.paper.setPointerCapture(event.pointerId);
    this.cursor = this.place(event);
    this.line = [this.cursor];
    this.dragged = true;
    this.paint();
  }

  move(event) {
    if (!event.isPrimary) return;
    this.cursor = this.place(event);
    if (this.line && this.dragged) {
      if (this.tool === "brush" || this.tool === "lasso") {
        for (const one of event.getCoalescedEvents?.() ?? [event]) this.extend(this.place(one));
      } else {
        this.line[this.tool === "rectangle" ? 1 : 0] = this.cursor;
      }
    }
    this.paint();
  }

  extend([x, y]) {
    const [lastX, lastY] = this.line.at(-1);
    const step = this.tool === "brush" ? Math.max(STEP, this.radius / 4) : STEP;
    if (Math.hypot(x - lastX, y - lastY) >= step && this.line.length < 9000) this.line.push([x, y]);
  }

  up() {
    if (!this.line || !this.dragged) return;
    this.dragged = false;
    const line = this.line;
    const { width, height } = this.extent(line);
    const drawn = { brush: true, stamp: true, rectangle: width >= 0.5 && height >= 0.5, lasso: line.length > 2 };
    if (drawn[this.tool]) this.finish(this.tool, line);
    else { this.line = null; this.paint(); }
  }

  extent(line) {
    const [xs, ys] = [line.map((point) => point[0]), line.map((point) => point[1])];
    return { width: Math.max(...xs) - Math.min(...xs), height: Math.max(...ys) - Math.min(...ys) };
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (moves[event.key]) {
      const [dx, dy] = moves[event.key].map((one) => one * (event.shiftKey ? 10 : 1));
      const [x, y] = this.cursor ?? [this.data.width / 2, this.data.height / 2];
      this.cursor = this.within([x + dx, y + dy]);
      if (this.line && this.tool === "rectangle") this.line[1] = this.cursor;
    } else if (event.key === " " || event.key === "Enter") {
      this.set(event.key === "Enter");
    } else if (event.key === "Escape") {
      this.line = null;
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey) && this.undo && !this.undo.disabled) {
      this.undo.click();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.paint();
    this.said.textContent = this.cursor ? `${TOOLS[this.tool].keys}. At ${this.cursor.map(Math.round).join(", ")}.` : "";
  }

  // The keyboard's way to a shape, corner by corner.
  set(closing) {
    this.cursor ??= [this.data.width / 2, this.data.height / 2];
    this.dragged = false;
    if (this.tool === "brush" || this.tool === "stamp") this.finish(this.tool, [this.cursor]);
    else if (!this.line) this.line = [this.cursor];
    else if (this.tool === "rectangle") this.finish("rectangle", [this.line[0], this.cursor]);
    else if (!closing) this.line.push(this.cursor);
    else if (this.line.length > 2) this.finish("lasso", this.line);
  }

  paint() {
    const [width, height] = [this.sheet.clientWidth, this.sheet.clientHeight];
    if (!width || !this.data.width) return;
    const dense = window.devicePixelRatio || 1;
    this.paper.width = Math.round(width * dense);
    this.paper.height = Math.round(height * dense);
    const pen = this.paper.getContext("2d");
    const scale = (width / this.data.width) * dense;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.thin = dense / scale;
    for (const shape of this.data.shapes) this.shape(pen, shape);
    for (const shape of this.pending) if (shape.points) this.shape(pen, shape);
    if (this.line) this.shape(pen, { kind: this.tool, points: this.line, radius: this.radius });
    if (this.cursor) this.pointer(pen);
  }

  shape(pen, { kind, points, radius }) {
    const path = new Path2D();
    pen.fillStyle = pen.strokeStyle = this.data.colour;
    pen.lineCap = pen.lineJoin = "round";
    if (kind === "stamp") return this.stamped(pen, points[0]);
    if (kind === "rectangle") {
      const [[x0, y0], [x1, y1]] = [points[0], points[1] ?? points[0]];
      path.rect(x0, y0, x1 - x0, y1 - y0);
    } else {
      points.forEach(([x, y]) => path.lineTo(x, y));
    }
    if (kind === "brush") {
      // A line of one point has no length, and is not drawn.
      if (points.length === 1) path.lineTo(points[0][0] + 1e-3, points[0][1]);
      pen.lineWidth = 2 * radius;
      pen.stroke(path);
      return;
    }
    if (kind === "lasso") path.closePath();
    pen.fill(path, "evenodd");
    this.outline(pen, path);
  }

  stamped(pen, [x, y]) {
    if (!this.stamp?.complete) return;
    const { width, height } = this.data.stamp;
    pen.drawImage(this.stamp, x - width / 2, y - height / 2, width, height);
  }

  // Seen on any ground: a white line on a wider black one.
  outline(pen, path) {
    for (const [width, colour] of [[3, "rgba(0, 0, 0, 0.6)"], [1.5, "#fff"]]) {
      pen.lineWidth = width * this.thin;
      pen.strokeStyle = colour;
      pen.stroke(path);
    }
  }

  pointer(pen) {
    const [x, y] = this.cursor;
    const path = new Path2D();
    if (this.tool === "brush") {
      path.arc(x, y, this.radius, 0, 2 * Math.PI);
    } else if (this.tool === "stamp" && this.data.stamp) {
      const { width, height } = this.data.stamp;
      pen.globalAlpha = 0.7;
      if (!this.line) this.stamped(pen, this.cursor);
      pen.globalAlpha = 1;
      path.rect(x - width / 2, y - height / 2, width, height);
    } else {
      const arm = 8 * this.thin;
      [[arm, 0], [0, arm]].forEach(([dx, dy]) => { path.moveTo(x - dx, y - dy); path.lineTo(x + dx, y + dy); });
    }
    this.outline(pen, path);
  }
}

export default function ({ data, parentElement, setStateValue }) {
  let root = parentElement.querySelector("[data-canvas]");
  if (!root) {
    root = document.createElement("div");
    root.dataset.canvas = "";
    parentElement.append(root);
  }
  root.drawing ??= new Canvas(root);
  root.drawing.update(data, setStateValue);
}

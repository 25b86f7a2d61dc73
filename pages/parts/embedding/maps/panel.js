// One map: its canvases, and what a pointer or the keyboard does to them.

const NEAR = 9; // pixels from a point at which it is meant
const STILL = 4; // pixels that a click may move
const SCROLLING = 250; // milliseconds: a page that is being scrolled is not caught by a map that comes under the pointer
const STRIDE = 40; // pixels that an arrow key moves

let lastWheel = { time: 0, target: null };
addEventListener("wheel", (event) => {
  const target = event.composedPath()[0];
  if (event.timeStamp - lastWheel.time > SCROLLING) lastWheel.target = target;
  lastWheel.time = event.timeStamp;
}, { capture: true, passive: true });

function element(tag, name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), { className: name }, properties);
  made.append(...children);
  return made;
}

class Panel {
  constructor(owner) {
    this.owner = owner;
    this.view = new View();
    this.title = element("span", "title");
    this.frameName = element("span", "frame");
    this.note = element("div", "note");
    this.base = element("canvas", "base");
    this.over = element("canvas", "over", { tabIndex: 0 });
    this.stage = element("div", "stage", {}, this.base, this.over);
    const heading = element("div", "heading", {}, this.title, this.frameName);
    this.root = element("div", "panel", {}, heading, this.note, this.stage);
    this.pointers = new Map();
    this.placed = [];
    this.listen();
  }

  show(spec, map) {
    this.spec = spec;
    this.title.textContent = spec.title;
    this.note.textContent = spec.note;
    this.over.setAttribute("role", "application");
    this.over.setAttribute("aria-label", `${spec.title}: map of ${map.count} images. ` + (map.dims === 3
      ? "Arrow keys turn, with shift they move, + and - enlarge." : "Arrow keys move, + and - enlarge."));
    if (this.map?.count !== map.count) {
      const axis = () => new Float32Array(map.count);
      this.places = { x: axis(), y: axis(), near: axis() };
      this.order = shuffled(map.count);
    }
    this.map = map;
    this.space = map.dims === 3;
  }

  resize() {
    const width = this.stage.clientWidth;
    if (!width) return;
    const height = Math.round(Math.min(540, Math.max(240, 0.85 * width)));
    const ratio = Math.min(devicePixelRatio || 1, 2);
    if (this.width === width && this.ratio === ratio) return;
    Object.assign(this, { width, height, ratio });
    this.stage.style.height = `${height + 2}px`;
    for (const canvas of [this.base, this.over]) [canvas.width, canvas.height] = [width * ratio, height * ratio];
    const pixels = this.base.getContext("2d").createImageData(width * ratio, height * ratio);
    const { data } = pixels;
    this.picture = { pixels, data, words: new Uint32Array(data.buffer), width: pixels.width, height: pixels.height };
    this.changed();
  }

  get frame() { return this.owner.film * (this.map.frames.length - 1); }
  get scale() { return scaleOf(this.fit, this.width, this.height) * this.view.zoom; }
  get radius() { return radiusFor(this.map.count, this.width, this.height, this.view.zoom); }

  changed() {
    this.stale = true;
    this.owner.draw();
  }

  moved() { (this.owner.data.linked ? this.owner.panels : [this]).forEach((panel) => panel.changed()); }

  draw() {
    const { owner, places, picture, ratio } = this;
    this.frameName.textContent = this.map.names[Math.round(this.frame)];
    project(this.map, this.fit, this.view, this.frame, this.width, this.height, places);
    const { ground, colours } = owner;
    paintPoints(picture, places, colours, owner.strong, this.order, this.radius, ratio, this.space, ground);
    const context = this.base.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.putImageData(picture.pixels, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.placed = [];
    if (owner.pictures && owner.withPictures && !owner.playing && !this.turning) {
      const marked = [...(owner.chosen === null ? [] : [owner.chosen]), ...owner.data.highlighted];
      this.placed = roomFor(
        places, owner.strong, marked, this.view, this.scale, this.width, this.height, owner.pictures);
      paintThumbnails(context, this.placed, owner.pictures, colours);
    }
    this.drawOver();
    this.stale = false;
  }

  drawOver() {
    const { owner, places, ratio } = this;
    const { ground } = owner;
    const context = this.over.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    if (this.space) lines(context, edges(this.fit, this.view, this.width, this.height), 1, ground.box);
    const at = (i) => [places.x[i], places.y[i]];
    const drawn = owner.data.links.filter(([i]) => owner.chosen === null || i === owner.chosen);
    lines(context, drawn.map(([i, j]) => [at(i), at(j)]), 3, ground.halo);
    lines(context, drawn.map(([i, j]) => [at(i), at(j)]), 1.3, ground.lines);
    const side = (i) => this.placed.find((one) => one.image === i)?.side;
    for (const i of owner.data.highlighted) mark(context, at(i), side(i), this.radius, 1.6, ground.ink, ground.halo);
    const [chosen, hovered] = [owner.chosen, owner.hovered];
    if (chosen !== null) mark(context, at(chosen), side(chosen), this.radius + 1, 3.5, ground.ink, ground.halo);
    if (hovered !== null) mark(context, at(hovered), side(hovered), this.radius, 2, ground.blue, ground.halo);
    if (this.path) {
      context.beginPath();
      this.outline().forEach(([x, y]) => context.lineTo(x, y));
      context.closePath();
      context.fillStyle = ground.area;
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = ground.blue;
      context.stroke();
    }
  }

  outline() {
    if (this.mode === "lasso") return this.path;
    const [[x, y], [u, v]] = [this.path[0], this.path.at(-1)];
    return [[x, y], [u, y], [u, v], [x, v]];
  }

  listen() {
    const listen = (name, handle, options) => this.over.addEventListener(name, handle.bind(this), options);
    listen("pointerdown", this.press);
    listen("pointermove", this.drag);
    listen("pointerup", this.release);
    listen("pointercancel", this.cancel);
    listen("pointerleave", () => this.owner.hover(null));
    listen("dblclick", this.reset);
    listen("wheel", this.wheel, { passive: false });
    listen("keydown", this.key);
  }

  place(event) {
    const corner = this.over.getBoundingClientRect();
    return [event.clientX - corner.left, event.clientY - corner.top];
  }

  press(event) {
    if (event.button !== 0 || !this.map) return;
    this.over.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.place(event));
    this.owner.hover(null);
    const tool = this.owner.tool;
    this.mode = this.pointers.size > 1 ? "pinch" : tool === "move" && event.shiftKey ? "lasso" : tool;
    this.start = this.place(event);
    this.dragged = this.pointers.size > 1;
    this.path = this.mode === "lasso" || this.mode === "box" ? [this.start] : null;
  }

  drag(event) {
    if (!this.map) return;
    const now = this.place(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.owner.hover(this.find(...now), this, now);
    if (!this.dragged && Math.hypot(now[0] - this.start[0], now[1] - this.start[1]) < STILL) return;
    this.dragged = true;
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    if (this.mode === "pinch") this.pinch(event.pointerId, before, now);
    this.pointers.set(event.pointerId, now);
    if (this.path) {
      this.path.push(now);
      this.drawOver();
    } else if (this.mode === "move") {
      this.over.classList.add("moving");
      this.turning = this.space;
      if (this.space) this.view.rotate(dx, dy);
      else this.view.move(dx, dy, this.scale / this.view.zoom);
      this.moved();
    }
  }

  pinch(pointer, before, now) {
    const other = [...this.pointers].find(([id]) => id !== pointer)?.[1];
    if (!other) return;
    const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    this.zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    this.view.move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2, this.scale / this.view.zoom);
  }

  release(event) {
    if (!this.pointers.delete(event.pointerId) || !this.map) return;
    const [path, outline] = [this.path, this.path && this.outline()];
    this.settle();
    if (this.pointers.size) return;
    if (path && this.dragged) this.owner.select(this.within(outline), event.ctrlKey || event.metaKey);
    else if (!this.dragged) this.owner.choose(this.find(...this.place(event)));
  }

  cancel(event) {
    this.pointers.delete(event.pointerId);
    this.settle();
  }

  settle() {
    this.path = null;
    this.turning = false;
    this.over.classList.remove("moving");
    this.changed();
  }

  wheel(event) {
    if (!this.map) return;
    const out = event.deltaY > 0;
    // At the whole map, scrolling on leads on down the page.
    if ((out && this.view.zoom <= 1 && !event.ctrlKey) || lastWheel.target !== this.over) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1);
    const factor = Math.exp(-Math.min(200, Math.max(-200, pixels)) * (event.ctrlKey ? 0.01 : 0.0022));
    this.zoom(out ? Math.max(factor, 1 / this.view.zoom) : factor, ...this.place(event));
  }

  zoom(factor, x, y) {
    this.view.enlarge(factor, x - this.width / 2, y - this.height / 2, this.scale / this.view.zoom);
    this.owner.hover(null);
    this.moved();
  }

  reset() {
    this.view.reset();
    this.moved();
  }

  key(event) {
    const arrows = { ArrowLeft: [STRIDE, 0], ArrowRight: [-STRIDE, 0], ArrowUp: [0, STRIDE], ArrowDown: [0, -STRIDE] };
    const arrow = arrows[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !this.map) return;
    if (arrow && this.space && !event.shiftKey) this.view.rotate(...arrow);
    else if (arrow) this.view.move(...arrow, this.scale / this.view.zoom);
    else if (event.key === "+" || event.key === "=") return this.zoom(1.25, this.width / 2, this.height / 2);
    else if (event.key === "-") return this.zoom(0.8, this.width / 2, this.height / 2);
    else if (event.key === "0" || event.key === "Home") this.view.reset();
    else return;
    event.preventDefault();
    this.moved();
  }

  // The image at a place: that of a thumbnail, or of the nearest point.
  find(x, y) {
    const picture = this.placed.find((one) => Math.max(Math.abs(one.x - x), Math.abs(one.y - y)) <= one.side / 2);
    if (picture) return picture.image;
    let [found, least] = [null, (this.radius + NEAR) ** 2];
    for (let i = 0; i < this.map.count; i++) {
      const away = (this.places.x[i] - x) ** 2 + (this.places.y[i] - y) ** 2;
      if (away < least && this.owner.offered(i)) [found, least] = [i, away];
    }
    return found;
  }

  // The images in an outline, of those that are in sight.
  within(outline) {
    const { x, y } = this.places;
    const found = [];
    for (let i = 0; i < this.map.count; i++) {
      const seen = x[i] >= 0 && y[i] >= 0 && x[i] <= this.width && y[i] <= this.height;
      if (seen && this.owner.offered(i) && inside(outline, x[i], y[i])) found.push(i);
    }
    return found;
  }
}

// What a pointer, a wheel, fingers and the keyboard do to the map.

const STILL = 5; // pixels that a click may move
const SCROLLING = 250; // milliseconds: a page that is being scrolled is not caught by a map that comes under the pointer
const DOUBLE = 240; // milliseconds in which a second click makes it a double one
const PUSH = 80; // pixels by which an arrow key moves the map
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
let lastWheel = { time: 0, target: null };

addEventListener("wheel", (event) => {
  const target = event.composedPath().find((one) => one.matches?.(".atlas")) ?? null;
  if (event.timeStamp - lastWheel.time > SCROLLING) lastWheel.target = target;
  lastWheel.time = event.timeStamp;
}, { capture: true, passive: true });

class Moves {
  constructor(map) {
    Object.assign(this, { map, pointers: new Map(), dragged: false });
    const { canvas } = map;
    const spot = (event) => {
      const { left, top } = canvas.getBoundingClientRect();
      return [event.clientX - left, event.clientY - top];
    };
    canvas.onpointerdown = (event) => this.press(event, spot(event));
    canvas.onpointermove = (event) => this.move(event, spot(event));
    canvas.onpointerup = canvas.onpointercancel = (event) => this.release(event);
    canvas.onpointerleave = () => { if (!this.pointers.size) map.point(null); };
    canvas.onclick = (event) => this.click(event, spot(event));
    canvas.ondblclick = (event) => this.double(event, spot(event));
    canvas.onkeydown = (event) => this.key(event);
    canvas.onblur = () => map.cursor.leave();
    canvas.addEventListener("wheel", (event) => this.wheel(event, spot(event)), { passive: false });
  }

  press(event, now) {
    if (event.button !== 0) return;
    this.pointers.set(event.pointerId, now);
    if (this.pointers.size === 1) {
      this.dragged = false;
      this.start = now;
    } else {
      this.stopLine();
    }
  }

  move(event, now) {
    const { map } = this;
    // A mouse that was let go outside is not dragging.
    if (!event.buttons) this.pointers.delete(event.pointerId);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") map.point(map.cellAt(...now));
      return;
    }
    const single = this.pointers.size === 1;
    if (single && !this.dragged && Math.hypot(now[0] - this.start[0], now[1] - this.start[1]) < STILL) return;
    if (!this.dragged) this.begin(event);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    if (this.line && !other) {
      this.line.push(map.sight.toMap(...now));
      return map.path.trace(this.line);
    }
    const share = other ? 0.5 : 1;
    map.sight.move(share * (now[0] - before[0]), share * (now[1] - before[1]));
    const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    if (other) map.sight.zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    map.moved();
  }

  begin(event) {
    const { map } = this;
    this.dragged = true;
    map.canvas.setPointerCapture(event.pointerId);
    map.canvas.classList.add("moving");
    map.point(null);
    if (map.drawing && this.pointers.size === 1) this.line = [map.sight.toMap(...this.start)];
  }

  release(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (event.type === "pointercancel") this.stopLine();
    if (this.pointers.size) return;
    this.map.canvas.classList.remove("moving");
    if (this.line) this.map.path.walk(this.line);
    this.line = null;
    // The click that follows still asks whether this was one.
    setTimeout(() => { this.dragged = false; });
  }

  stopLine() {
    if (this.line) this.map.path.trace([]);
    this.line = null;
  }

  // Heard when it is sure that no second click follows.
  click(event, now) {
    const { map } = this;
    if (this.dragged || event.detail > 1) return;
    const cell = map.cellAt(...now);
    map.point(cell);
    clearTimeout(this.waiting);
    if (cell) this.waiting = setTimeout(() => map.choose(cell), DOUBLE);
  }

  double(event, now) {
    clearTimeout(this.waiting);
    this.map.zoom(event.shiftKey ? 0.5 : 2, ...now);
  }

  wheel(event, now) {
    const { map } = this;
    const out = event.deltaY > 0;
    // At the whole map, scrolling on leads on down the page.
    if ((out && map.sight.fitted && !event.ctrlKey) || lastWheel.target !== map.root) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1);
    map.zoom(Math.exp(-within(pixels, -200, 200) * (event.ctrlKey ? 0.01 : 0.0022)), ...now);
  }

  key(event) {
    const { map } = this;
    const zooms = { "+": 1.25, "=": 1.25, "-": 0.8 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (zooms[event.key]) map.zoom(zooms[event.key]);
    else if (event.key === "0") map.home();
    else if (arrow && map.cursor.cell) map.cursor.step(...arrow);
    else if (arrow) map.push(-PUSH * arrow[0], -PUSH * arrow[1]);
    else if (event.key === "Enter" || event.key === " ") map.cursor.enter();
    else if (event.key === "Escape" && map.cursor.cell) map.cursor.leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

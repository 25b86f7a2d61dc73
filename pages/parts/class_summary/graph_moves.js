// What a pointer, a wheel, a finger and the keyboard do to a graph.

const STILL = 4; // pixels that a click may move
const SCROLLING = 250; // milliseconds: a page that is being scrolled is not caught by a graph that comes under the pointer
let lastWheel = { time: 0, target: null };

addEventListener("wheel", (event) => {
  const target = event.composedPath().find((one) => one.matches?.(".graph")) ?? null;
  if (event.timeStamp - lastWheel.time > SCROLLING) lastWheel.target = target;
  lastWheel.time = event.timeStamp;
}, { capture: true, passive: true });

class GraphMoves {
  constructor(graph) {
    this.graph = graph;
    this.pointers = new Map();
    this.dragged = false;
    this.listen(graph);
  }

  listen(graph) {
    const { svg } = graph;
    const vertexOf = (event) => event.target.closest?.(".vertex")?.vertex ?? null;
    const spot = (event) => {
      const { left, top } = svg.getBoundingClientRect();
      return [event.clientX - left, event.clientY - top];
    };
    svg.onpointerover = (event) => {
      if (this.dragged) return;
      graph.hover(vertexOf(event));
      graph.pointAt(event.target.closest?.(".edge")?.edge ?? null, spot(event));
    };
    svg.onpointerleave = () => {
      graph.hover(null);
      graph.pointAt(null, [0, 0]);
    };
    svg.addEventListener("focusin", (event) => {
      const vertex = vertexOf(event);
      if (!vertex || !vertex.element.matches(":focus-visible")) return;
      graph.current[vertex.row] = vertex;
      graph.rove();
      graph.reveal(vertex);
      graph.hover(vertex, true);
    });
    svg.addEventListener("focusout", () => { if (graph.byKey) graph.hover(null); });
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
      graph.hover(vertex);
      graph.pin(vertex);
    };
    svg.ondblclick = (event) => { if (!vertexOf(event)) graph.fit(); };
    svg.addEventListener("wheel", (event) => this.wheel(event, spot(event)), { passive: false });
    svg.onkeydown = (event) => this.press(event, vertexOf(event));
  }

  drag(event, now) {
    const { graph } = this;
    // A mouse that was let go outside is not dragging.
    if (!event.buttons) this.pointers.delete(event.pointerId);
    const before = this.pointers.get(event.pointerId);
    const scrolls = event.pointerType === "touch" && graph.fitted && this.pointers.size === 1;
    if (!before || scrolls || !graph.placed) return;
    if (!this.dragged && this.pointers.size === 1 && Math.hypot(now[0] - this.start[0], now[1] - this.start[1]) < STILL) return;
    if (!this.dragged) {
      this.dragged = true;
      graph.svg.setPointerCapture(event.pointerId);
      graph.svg.classList.add("moving");
      graph.hover(null);
    }
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    const share = other ? 0.5 : 1;
    graph.view.x += share * (now[0] - before[0]);
    graph.view.y += share * (now[1] - before[1]);
    graph.fitted = false;
    if (!other) return graph.move();
    const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    graph.zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }

  wheel(event, [x, y]) {
    const { graph } = this;
    const out = event.deltaY > 0;
    if (!graph.placed) return;
    // At the whole graph, scrolling on leads on down the page.
    if ((out && graph.view.scale <= graph.whole.scale && !event.ctrlKey) || lastWheel.target !== graph.root) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1);
    const factor = Math.exp(-Math.min(200, Math.max(-200, pixels)) * (event.ctrlKey ? 0.01 : 0.0022));
    if (graph.view.scale * factor <= graph.whole.scale && out) graph.fit();
    else graph.zoom(factor, x, y);
  }

  press(event, vertex) {
    const { graph } = this;
    const zooms = { "+": 1.25, "=": 1.25, "-": 0.8 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (zooms[event.key]) graph.zoom(zooms[event.key], graph.width / 2, graph.height / 2);
    else if (event.key === "0") graph.fit();
    else if (vertex && (event.key === "Enter" || event.key === " ")) graph.pin(vertex);
    else if (vertex && event.key.startsWith("Arrow")) this.next(vertex, event.key)?.element.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Along the row, or along the strongest edge up or down; where there is none, to the nearest of the next row.
  next(vertex, key) {
    const { graph } = this;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const row = graph.rows[vertex.row].filter((one) => !one.hidden);
      return row[row.indexOf(vertex) + (key === "ArrowLeft" ? -1 : 1)];
    }
    const up = key === "ArrowUp";
    const edge = vertex[up ? "outputs" : "inputs"].findLast((one) => !one.hidden);
    if (edge) return edge[up ? "target" : "source"];
    const beyond = (graph.rows[vertex.row + (up ? -1 : 1)] ?? []).filter((one) => !one.hidden);
    return beyond.sort((one, two) => Math.abs(one.x - vertex.x) - Math.abs(two.x - vertex.x))[0];
  }
}

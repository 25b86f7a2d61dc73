// A photograph's groups of channels as columns, and what each brings to the next as bands; hover follows the strongest.

const FLOW_SVG = "http://www.w3.org/2000/svg";

function flowMade(tag, attributes = {}, ...children) {
  const one = document.createElementNS(FLOW_SVG, tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.append(...children);
  return one;
}

// Where things stand, in pixels, for a drawing of some width.
function flowPlaces(data, width) {
  const count = data.columns.length;
  const side = Math.max(34, Math.min(84, (width / count) * 0.5));
  const step = count > 1 ? (width - side - 16) / (count - 1) : 0;
  const row = side + 40;
  const most = Math.max(...data.columns.map((column) => column.nodes.length));
  const places = data.columns.map((column, c) =>
    column.nodes.map((_, i) => ({ x: 8 + c * step, y: 46 + (i + (most - column.nodes.length) / 2) * row })));
  return { side, places, height: 52 + most * row };
}

// Bands leave and enter a node side by side, in the order of the nodes at their other ends.
function flowBands(data, { side, places }) {
  const sums = new Map();
  const add = (key, value) => sums.set(key, (sums.get(key) ?? 0) + value);
  for (const { column, source, target, value } of data.bands) {
    add(`out ${column} ${source}`, Math.abs(value));
    add(`in ${column + 1} ${target}`, Math.abs(value));
  }
  const scale = side / Math.max(1e-12, ...sums.values());
  const used = new Map();
  const place = (key, y, thick) => {
    const begun = used.get(key) ?? y + (side - sums.get(key) * scale) / 2;
    used.set(key, begun + thick);
    return begun + thick / 2;
  };
  return data.bands.map((band) => {
    const thick = Math.abs(band.value) * scale;
    const from = places[band.column][band.source];
    const to = places[band.column + 1][band.target];
    const y0 = place(`out ${band.column} ${band.source}`, from.y, thick);
    const y1 = place(`in ${band.column + 1} ${band.target}`, to.y, thick);
    const x0 = from.x + side, x1 = to.x, bend = (x1 - x0) / 2;
    return { ...band, thick, path: `M${x0},${y0}C${x0 + bend},${y0} ${x1 - bend},${y1} ${x1},${y1}` };
  });
}

// From a node its own bands, and from there on each node's strongest, up to the classes and down to the lowest layer.
function flowFollowed(bands, column, node) {
  const own = (c, i, end) => bands.filter((one) => (end === "out" ? one.column === c && one.source === i
    : one.column === c - 1 && one.target === i));
  const strongest = (some) => some.reduce((best, one) => (!best || one.thick > best.thick ? one : best), null);
  const near = new Set([...own(column, node, "out"), ...own(column, node, "in")]);
  const found = new Set(near);
  for (const end of ["out", "in"]) {
    let next = strongest(own(column, node, end));
    while (next) {
      found.add(next);
      next = end === "out" ? strongest(own(next.column + 1, next.target, "out")) : strongest(own(next.column, next.source, "in"));
    }
  }
  return found;
}

function flowNode(node, c, i, { x, y }, side) {
  const group = flowMade("g", { class: `node ${node.kind}`, tabindex: "0", role: "img", "aria-label": node.lines.join(", "),
    "data-column": c, "data-node": i, transform: `translate(${x},${y})` });
  group.append(flowMade("rect", { class: "ground", width: side, height: side, rx: 5 }));
  if (node.picture) {
    group.append(flowMade("image", { href: node.picture, width: side, height: side, preserveAspectRatio: "xMidYMid slice" }));
  } else {
    const label = flowMade("text", { class: "label", x: side / 2, y: side / 2 });
    label.textContent = node.short;
    label.style.fontSize = `${Math.max(7, Math.min(12, (1.7 * side) / Math.max(1, node.short.length)))}px`;
    group.append(label);
  }
  const frame = flowMade("rect", { class: "frame", width: side, height: side, rx: 5 });
  if (node.colour) frame.style.stroke = node.colour;
  const value = flowMade("text", { class: "value", x: side / 2, y: side + 15 });
  value.textContent = node.value;
  const title = flowMade("title");
  title.textContent = node.lines.join("\n");
  group.append(frame, value, title);
  return group;
}

export default function ({ data, parentElement }) {
  let root = parentElement.querySelector(".flow");
  if (!root) {
    root = document.createElement("div");
    root.className = "flow";
    parentElement.append(root);
  }
  const draw = () => {
    const width = Math.max(320, root.clientWidth || 700);
    const placed = flowPlaces(data, width);
    const bands = flowBands(data, placed);
    const svg = flowMade("svg", { viewBox: `0 0 ${width} ${placed.height}`, width, height: placed.height, role: "group",
      "aria-label": data.label });
    data.columns.forEach((column, c) => {
      const head = flowMade("text", { class: "head", x: placed.places[c][0].x + placed.side / 2, y: 16,
        "text-anchor": c === 0 ? "start" : c === data.columns.length - 1 ? "end" : "middle" });
      if (c === 0) head.setAttribute("x", 4);
      if (c === data.columns.length - 1) head.setAttribute("x", width - 4);
      head.textContent = column.title;
      const under = head.cloneNode();
      under.setAttribute("class", "under");
      under.setAttribute("y", 32);
      under.textContent = placed.side < 60 ? column.under.replace(/^[^+−-]*(?=[+−-])/, "") : column.under;
      svg.append(head, under);
    });
    const lines = bands.map((band) => {
      const line = flowMade("path", { class: band.value < 0 ? "band against" : "band for", d: band.path,
        "stroke-width": Math.max(0.6, band.thick) });
      const title = flowMade("title");
      title.textContent = band.title;
      line.append(title);
      return line;
    });
    svg.append(...lines);
    data.columns.forEach((column, c) => column.nodes.forEach((node, i) =>
      svg.append(flowNode(node, c, i, placed.places[c][i], placed.side))));
    const follow = (event) => {
      const at = event.target.closest?.(".node");
      svg.classList.toggle("lit", Boolean(at));
      if (!at) return;
      const on = flowFollowed(bands, Number(at.dataset.column), Number(at.dataset.node));
      const ends = new Set([`${at.dataset.column} ${at.dataset.node}`]);
      bands.forEach((band, i) => {
        lines[i].classList.toggle("on", on.has(band));
        if (on.has(band)) ends.add(`${band.column} ${band.source}`).add(`${band.column + 1} ${band.target}`);
      });
      svg.querySelectorAll(".node").forEach((one) =>
        one.classList.toggle("on", ends.has(`${one.dataset.column} ${one.dataset.node}`)));
    };
    for (const name of ["pointerover", "focusin"]) svg.addEventListener(name, follow);
    for (const name of ["pointerleave", "focusout"]) svg.addEventListener(name, () => svg.classList.remove("lit"));
    root.replaceChildren(svg);
  };
  draw();
  const watching = new ResizeObserver(() => {
    if (Math.abs((root.firstChild?.clientWidth ?? 0) - root.clientWidth) > 2) draw();
  });
  watching.observe(root);
  return () => watching.disconnect();
}

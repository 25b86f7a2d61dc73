// The cells under a path, in order, and how what they argue for changes along it.

const STEP = 84; // pixels from one cell of the strip to the next
const TALL = 96; // of the curves

class Strip {
  constructor(map) {
    this.map = map;
    this.root = element("div", "strip", { hidden: true, tabIndex: 0 });
    this.root.setAttribute("role", "region");
    this.root.setAttribute("aria-label", "Cells along the path");
  }

  show(cells) {
    this.cells = cells;
    this.root.hidden = !cells.length;
    if (!cells.length) return;
    const { labels } = this.map.data;
    const row = element("div", "row", {}, ...cells.map((one) => this.figure(one)));
    const ends = [...new Set([cells[0].label, cells.at(-1).label])].filter((number) => number >= 0);
    const curves = ends.map((number, i) => ({ number, tone: this.map.data.colours[i], dashed: i > 0, values: cells.map((one) => this.attributionOf(one, number)) }));
    const legend = element("p", "curves", {}, ...curves.map(({ number, tone, dashed }) => {
      const line = element("i", dashed ? "dashed" : "");
      line.style.borderColor = tone;
      return element("span", "entry", {}, line, element("span", "", { textContent: labels[number] }));
    }));
    legend.prepend(element("span", "", { textContent: `${cells.length} cells along the path. Attribution in logits to` }));
    if (curves.some(({ values }) => values.some((one) => one.below))) legend.append(element("span", "quiet", { textContent: "○ at most this: not among the cell's listed classes" }));
    this.root.replaceChildren(legend, element("div", "scroll", {}, row, ...(curves.length ? [this.chart(curves)] : [])));
  }

  // What a cell argues for a class; where that is not among those that are told, it is at most the smallest of these.
  attributionOf({ classes, attributions }, number) {
    const at = classes.indexOf(number);
    if (at >= 0) return { value: attributions[at], below: false };
    return attributions.length ? { value: attributions.at(-1), below: true } : { value: null, below: false };
  }

  figure(cell) {
    const pictures = KINDS.filter((kind) => cell.level.has(kind, cell)).map((kind) => {
      const canvas = element("canvas", kind, { width: 152, height: 152 });
      cell.level.draw(canvas.getContext("2d"), kind, cell, 0, 0, 152);
      return canvas;
    });
    const one = element("button", "step", { type: "button", onclick: () => this.map.choose(cell) },
      element("span", "pictures", {}, ...pictures), element("span", "name", { textContent: labelOf(cell, this.map.data.labels) }));
    one.setAttribute("aria-label", sentenceOf(cell, this.map.data));
    one.onpointerenter = () => this.map.point(cell, false);
    one.onpointerleave = () => this.map.point(null);
    return one;
  }

  chart(curves) {
    const known = curves.flatMap(({ values }) => values.map((one) => one.value)).filter((one) => one !== null);
    const [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
    const wide = this.cells.length * STEP;
    const at = (value) => 10 + (TALL - 20) * (1 - (value - low) / (high - low || 1));
    const svg = drawn("svg", { width: wide, height: TALL, viewBox: `0 0 ${wide} ${TALL}`, role: "img", "aria-label": this.said(curves) });
    const line = (value) => [drawn("path", { class: "guide", d: `M0 ${at(value)}H${wide}` }), Object.assign(drawn("text", { x: 2, y: at(value) - 3 }), { textContent: written(value, true) })];
    svg.append(...new Set([low, 0, high].map((one) => Number(one.toPrecision(12)))).values().flatMap(line));
    for (const { tone, dashed, values } of curves) {
      const places = values.map(({ value, below }, i) => ({ x: (i + 0.5) * STEP, y: value === null ? null : at(value), below })).filter((one) => one.y !== null);
      svg.append(drawn("path", { d: places.map(({ x, y }, i) => `${i ? "L" : "M"}${x} ${y.toFixed(1)}`).join(""), stroke: tone, "stroke-dasharray": dashed ? "6 4" : "none", class: "curve" }),
        ...places.map(({ x, y, below }) => drawn("circle", { cx: x, cy: y.toFixed(1), r: 4, stroke: tone, fill: below ? "var(--page)" : tone, class: "spot" })));
    }
    return svg;
  }

  said(curves) {
    const { labels } = this.map.data;
    const from = ({ value, below }) => (value === null ? "unknown" : `${below ? "at most " : ""}${written(value, true)}`);
    return curves.map(({ number, values }) => `Attribution to ${labels[number]} from ${from(values[0])} to ${from(values.at(-1))}`).join("; ");
  }
}

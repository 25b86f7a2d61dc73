// The cells under a path, in order, and how what they argue for changes along it.

const STEP = 84; // pixels from one cell of the strip to the next
const TALL = 96; // of the curves

class Strip {
  constructor(map) {
    this.map = map;
    this.root = element("div", "strip", { hidden: true });
    this.root.setAttribute("role", "region");
    this.root.setAttribute("aria-label", "Cells along the path");
  }

  show(cells) {
    this.root.hidden = !cells.length;
    const { labels } = this.map.data;
    const shown = [labels.join(), ...cells.flatMap((one) => [one, ...KINDS.map((kind) => one.level.sheetOf(kind, one))])];
    if (!cells.length || (shown.length === this.shown?.length && shown.every((one, i) => one === this.shown[i]))) return;
    Object.assign(this, { cells, shown });
    const [scrolled, focused] = [this.root.querySelector(".scroll")?.scrollLeft, [...this.root.querySelectorAll(".step")].findIndex((one) => one.matches(":focus"))];
    const row = element("div", "row", {}, ...cells.map((one) => this.figure(one)));
    const ends = [...new Set([cells[0].label, cells.at(-1).label])].filter((number) => number >= 0);
    const curves = ends.map((number, i) => ({ number, tone: this.map.data.colours[i], dashed: i > 0, values: cells.map((one) => this.attributionOf(one, number)) }));
    this.root.replaceChildren(this.heading(curves), element("div", "scroll", {}, row, ...(curves.length ? [this.chart(curves)] : [])));
    // Pictures that come later leave the reader where they are.
    if (scrolled) this.root.querySelector(".scroll").scrollLeft = scrolled;
    row.children[focused]?.focus({ preventScroll: true });
  }

  heading(curves) {
    const said = `${this.cells.length} cells along the path${curves.length ? ". Attribution in logits to" : ""}`;
    const names = curves.map(({ number, tone, dashed }) => {
      const line = element("i", dashed ? "dashed" : "");
      line.style.borderColor = tone;
      return element("span", "entry", {}, line, element("span", "", { textContent: this.map.data.labels[number] }));
    });
    const below = curves.some(({ values }) => values.some((one) => one.below));
    const rest = below ? [element("span", "quiet", { textContent: "○ at most this: not among the cell's listed classes" })] : [];
    return element("p", "curves", {}, element("span", "", { textContent: said }), ...names, ...rest);
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
    const at = (value) => Math.round(16 + (TALL - 24) * (1 - (value - low) / (high - low || 1)));
    const svg = drawn("svg", { width: wide, height: TALL, viewBox: `0 0 ${wide} ${TALL}`, role: "img", "aria-label": this.said(curves) });
    for (const value of new Set([low, 0, high])) {
      const number = Object.assign(drawn("text", { x: 2, y: at(value) - 3 }), { textContent: written(value, true) });
      svg.append(drawn("path", { class: "guide", d: `M0 ${at(value)}H${wide}` }), number);
    }
    for (const { tone, dashed, values } of curves) {
      const places = values.map(({ value, below }, i) => ({ x: (i + 0.5) * STEP, y: value === null ? null : at(value), below }));
      // Between two that are known; of the others there is no more than a bound.
      const sure = ({ y, below }) => y !== null && !below;
      const lines = places.slice(1).map((one, i) => (sure(one) && sure(places[i]) ? `M${places[i].x} ${places[i].y}L${one.x} ${one.y}` : ""));
      svg.append(drawn("path", { d: lines.join(""), stroke: tone, "stroke-dasharray": dashed ? "6 4" : "none", class: "curve" }));
      for (const { x, y, below } of places.filter((one) => one.y !== null)) {
        svg.append(drawn("circle", { cx: x, cy: y, r: 4, stroke: tone, fill: below ? "var(--page)" : tone, class: "spot" }));
      }
    }
    return svg;
  }

  said(curves) {
    const { labels } = this.map.data;
    const from = ({ value, below }) => (value === null ? "unknown" : `${below ? "at most " : ""}${written(value, true)}`);
    return curves.map(({ number, values }) => `Attribution to ${labels[number]} from ${from(values[0])} to ${from(values.at(-1))}`).join("; ");
  }
}

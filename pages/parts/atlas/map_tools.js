// The bar above the map: zoom, level, pictures, colour, size, search, path, file.

const PICTURES = { inverted: "Inverted", patches: "Real patches", both: "Both" };

class Tools {
  constructor(map, bar) {
    Object.assign(this, { map, bar });
    bar.setAttribute("role", "toolbar");
    this.group("Zoom", buttonOf("+", "Enlarge (+)", () => map.zoom(1.4)), buttonOf("−", "Shrink (−)", () => map.zoom(1 / 1.4)),
      buttonOf("Whole", "Show the whole map (0)", () => map.home()));
    this.levels = this.group("Level");
    this.pictures = new Map(Object.entries(PICTURES).map(([kind, text]) => [kind, buttonOf(text, `${text}: what cells show`, () => map.set({ kind }))]));
    this.group("Pictures", ...this.pictures.values());
    this.colour = this.select("Colour", COLOURINGS, (colour) => map.set({ colour }));
    this.size = this.select("Size", SIZINGS, (size) => map.set({ size }));
    bar.append(map.search.root);
    this.path = buttonOf("Path", "Path: drag a line across the map, and see its cells in order", () => map.set({ drawing: !map.drawing }));
    this.clear = buttonOf("Clear path", "Take the path away", () => map.path.walk([]));
    this.group("Path", this.path, this.clear);
    this.group("File", buttonOf("PNG", "PNG: save the whole map of this level at print size", () => savePng(map)));
  }

  group(title, ...all) {
    const one = element("span", "group", {}, ...all);
    one.setAttribute("role", "group");
    one.setAttribute("aria-label", title);
    this.bar.append(one);
    return one;
  }

  select(title, of, take) {
    const select = element("select", "", {}, ...Object.entries(of).map(([value, { title: text }]) => element("option", "", { value, textContent: text })));
    select.setAttribute("aria-label", title);
    select.onchange = () => take(select.value);
    this.bar.append(element("label", "", {}, title, select));
    return select;
  }

  // What is offered for this atlas: there may be one level, no real patches, no class that the reader has chosen.
  offer() {
    const { map } = this;
    const { data, levels } = map;
    this.bar.setAttribute("aria-label", data.label);
    const grids = JSON.stringify(data.levels.map(({ grid }) => grid));
    if (grids !== this.grids) {
      this.grids = grids;
      this.buttons = [null, ...data.levels.keys()].map((fixed) => {
        const grid = data.levels[fixed]?.grid;
        const title = fixed === null ? "Finer levels appear as one comes nearer" : `Always the level of ${grid} × ${grid}`;
        return [fixed, buttonOf(fixed === null ? "Auto" : `${grid}²`, title, () => map.set({ fixed }))];
      });
      this.levels.replaceChildren(element("span", "title", { textContent: "Level" }), ...this.buttons.map(([, button]) => button));
    }
    this.levels.hidden = data.levels.length < 2;
    const kinds = KINDS.filter((kind) => levels.some((one) => one.any(kind)));
    this.pictures.get("patches").parentElement.hidden = kinds.length < 2;
    for (const select of [this.colour, this.size]) {
      const option = select.querySelector("[value=value]");
      option.hidden = option.disabled = !data.value;
    }
    this.tell();
  }

  tell() {
    const { map } = this;
    const pressed = (button, on) => button.setAttribute("aria-pressed", String(on));
    for (const [fixed, button] of this.buttons ?? []) {
      pressed(button, fixed === map.fixed);
      button.classList.toggle("shown", map.fixed === null && fixed !== null && map.levels[fixed] === map.level);
    }
    for (const [kind, button] of this.pictures) pressed(button, kind === map.kind);
    pressed(this.path, map.drawing);
    this.clear.hidden = !map.path.line.length;
    this.colour.value = map.colour;
    this.size.value = map.size;
  }
}

// All maps of one drawing together: what is chosen, the tools, the legend, the film, and the talk with the server.

const PATIENCE = 1500; // milliseconds until what has not come is asked for again
const NO_CLASS = 65535;
const SCHEME = matchMedia("(prefers-color-scheme: dark)");

class Legend {
  constructor(owner) {
    this.owner = owner;
    this.root = element("div", "legend");
  }

  show(colouring) {
    this.isolated = new Set();
    const about = element("span", "about", { textContent: colouring.title });
    if (colouring.kind === "scale") return this.root.replaceChildren(about, ...this.scale(colouring));
    const missing = colouring.places.reduce((sum, one) => sum + (one === NO_CLASS), 0);
    const all = colouring.names.map((name, i) => [i, name, colouring.counts[i], colouring.stops[i]]);
    if (missing) all.push([NO_CLASS, "none", missing, "#8a8a8a"]);
    this.buttons = new Map(all.filter(([, , count]) => count).map((one) => [one[0], this.entry(...one)]));
    this.root.replaceChildren(about, ...this.buttons.values());
  }

  entry(place, name, count, colour) {
    const swatch = element("span", "swatch");
    swatch.style.backgroundColor = themed(colour);
    const number = element("span", "number", { textContent: count.toLocaleString("en") });
    const button = element("button", "", { type: "button", title: `Show only ${name} (with shift: this one too)` },
      swatch, element("span", "name", { textContent: name }), number);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", (event) => this.isolate(place, event.shiftKey || event.ctrlKey || event.metaKey));
    return button;
  }

  scale({ stops, low, high, missing }) {
    const text = (value) => element("span", "number", { textContent: String(Number(value.toPrecision(3))) });
    const bar = element("span", "ramp");
    bar.style.background = `linear-gradient(to right, ${stops.map(themed).join(", ")})`;
    const rest = missing ? [element("span", "about", { textContent: `${missing.toLocaleString("en")} without a value` })] : [];
    return [text(low), bar, text(high), ...rest];
  }

  isolate(place, further) {
    const had = this.isolated.has(place);
    if (!further) this.isolated = new Set(had && this.isolated.size === 1 ? [] : [place]);
    else if (had) this.isolated.delete(place);
    else this.isolated.add(place);
    this.mark();
  }

  mark() {
    this.buttons?.forEach((button, place) => button.setAttribute("aria-pressed", String(this.isolated.has(place))));
    this.owner.redraw();
  }
}

class Maps {
  constructor(parent, data) {
    Object.assign(this, { panels: [], film: 1, tool: "move", withPictures: true, chosen: null, hovered: null });
    this.serial = data.at;
    this.selected = new Uint8Array(data.count);
    this.build();
    parent.append(this.root);
    this.observer = new ResizeObserver(() => this.panels.forEach((panel) => panel.resize()));
    this.observer.observe(this.root);
    // The page takes on the browser's other colours a moment later.
    this.recolour = () => setTimeout(() => this.redraw(), 300);
    SCHEME.addEventListener("change", this.recolour);
    this.escape = (event) => { if (event.key === "Escape" && this.root.matches(":hover, :focus-within")) this.clear(); };
    addEventListener("keydown", this.escape);
    drawings.add(this);
  }

  close() {
    drawings.delete(this);
    this.observer.disconnect();
    SCHEME.removeEventListener("change", this.recolour);
    removeEventListener("keydown", this.escape);
    clearTimeout(this.asking);
    this.playing = false;
    this.root.remove();
  }

  build() {
    const button = (text, title, act) => {
      const made = element("button", "", { type: "button", textContent: text, title });
      made.setAttribute("aria-label", title);
      made.addEventListener("click", act);
      return made;
    };
    this.tools = new Map([
      ["move", button("Move", "Drag to move or turn", () => this.takeUp("move"))],
      ["lasso", button("Lasso", "Draw around images to select them (or hold shift)", () => this.takeUp("lasso"))],
      ["box", button("Box", "Drag a box around images to select them", () => this.takeUp("box"))],
    ]);
    this.pictureButton = button("Thumbnails", "Thumbnails where there is room for them", () => {
      this.withPictures = !this.withPictures;
      this.redraw();
    });
    this.pictureGroup = element("span", "group", {}, this.pictureButton);
    this.clearButton = button("Clear", "Clear the choice and the selection (escape)", () => this.clear());
    const whole = button("Whole map", "Show the whole maps (double-click on a map: that one)", () => {
      this.panels.forEach((panel) => panel.view.reset());
      this.redraw();
    });
    const png = button("PNG", "Download the maps as a picture", () => exported(this));
    this.said = element("span", "said");
    this.said.setAttribute("role", "status");
    const bar = element("div", "bar", {}, element("span", "group", {}, ...this.tools.values()), this.pictureGroup,
      element("span", "group", {}, whole, this.clearButton), element("span", "group", {}, png), this.said);
    this.grid = element("div", "panels");
    this.waiting = element("div", "waiting", { textContent: "Loading the maps …" });
    this.playButton = button("Play", "Play the film", () => (this.playing ? this.pause() : this.play()));
    this.slider = element("input", "", { type: "range", min: 0, max: 1, step: "any", value: 1 });
    this.slider.setAttribute("aria-label", "Place in the film");
    this.slider.addEventListener("input", () => {
      this.pause();
      this.film = Number(this.slider.value);
      this.redraw();
    });
    this.about = element("span", "said");
    this.filmBar = element("div", "film", { hidden: true }, this.playButton, this.slider, this.about);
    this.legend = new Legend(this);
    this.cardPicture = element("canvas", "", { width: 256, height: 256 });
    [this.cardPicture.style.width, this.cardPicture.style.height] = ["128px", "128px"];
    [this.cardName, this.cardText] = [element("div", "name"), element("div", "text")];
    this.card = element("div", "card", { hidden: true }, this.cardPicture, this.cardName, this.cardText);
    this.root = element("div", "maps", {}, bar, this.grid, this.waiting, this.filmBar, this.legend.root, this.card);
    this.takeUp("move");
  }

  uses() {
    return [this.data, this.coming].filter(Boolean).flatMap((data) =>
      [data.points, data.colours, ...data.sheets, ...data.panels.map((panel) => panel.positions)]);
  }

  // What the server says: shown at once or, where parts are still on their way, when they are there.
  hear(data, report) {
    this.report = report;
    this.coming = data;
    this.refresh();
  }

  refresh() {
    if (!this.coming) return;
    clearTimeout(this.asking);
    if (this.uses().every((digest) => feeds.has(digest))) return this.adopt();
    this.asking = setTimeout(() => this.tell(this.coming.choice), PATIENCE);
  }

  adopt() {
    const [before, data] = [this.data, this.coming];
    [this.data, this.coming] = [data, null];
    this.waiting.hidden = true;
    if (before?.points !== data.points) {
      ({ names: this.names, texts: this.texts } = feeds.get(data.points).header);
      this.selected = new Uint8Array(data.count);
      this.chosen = null;
    }
    // A choice that was made here since then is on its way to the server.
    if (data.at === this.serial) {
      this.chosen = data.choice.chosen;
      this.selected = fromBits(data.choice.selected, data.count);
    }
    if (before?.colours !== data.colours) {
      this.colouring = colouring(feeds.get(data.colours));
      this.legend.show(this.colouring);
    }
    if (String(before?.sheets) !== String(data.sheets)) {
      this.pictures = data.sheets.length ? new Thumbnails(data.sheets) : null;
    }
    this.hovered = null;
    this.arrange();
    this.redraw();
  }

  arrange() {
    const { panels: specs, linked } = this.data;
    while (this.panels.length > specs.length) this.panels.pop().root.remove();
    while (this.panels.length < specs.length) {
      this.panels.push(new Panel(this));
      this.grid.append(this.panels.at(-1).root);
    }
    const maps = specs.map((spec) => positions(feeds.get(spec.positions)));
    this.panels.forEach((panel, i) => {
      // New positions under the same title are the same map further on: the reader stays where they are.
      const known = panel.spec?.title === specs[i].title && panel.map?.dims === maps[i].dims;
      if (!known) panel.view = new View();
      panel.show(specs[i], maps[i]);
      panel.fit = box(linked ? maps.filter((one) => one.dims === maps[i].dims) : [maps[i]]);
    });
    if (linked) this.panels.forEach((panel) => { panel.view = this.panels[0].view; });
    else this.panels.forEach((panel, i) => { if (i && panel.view === this.panels[0].view) panel.view = new View(); });
    const films = maps.filter((map) => map.names.length > 1);
    this.filmBar.hidden = !films.length;
    const thinned = films.find((map) => map.of > map.names.length);
    this.about.textContent = thinned ? `${thinned.names.length} of ${thinned.of} frames` : "";
    this.panels.forEach((panel) => panel.resize());
  }

  // Whether an image can be pointed at and selected: those of classes that are not shown cannot.
  offered(i) {
    return !this.legend.isolated.size || this.legend.isolated.has(this.colouring.places[i]);
  }

  redraw() {
    if (!this.data) return;
    this.dark = isDark(this.root);
    this.ground = this.dark ? GROUNDS.dark : GROUNDS.light;
    this.colours = this.dark ? this.colouring.lightened : this.colouring.colours;
    const any = this.selected.includes(1);
    this.strong = this.selected.map((one, i) => ((!any || one) && this.offered(i) ? 1 : 0));
    for (const i of [this.chosen, ...this.data.highlighted]) if (i !== null) this.strong[i] = 1;
    this.tellReader(any);
    this.panels.forEach((panel) => { panel.stale = true; });
    this.draw();
  }

  tellReader(any) {
    const number = (count) => count.toLocaleString("en");
    const parts = [];
    if (any) parts.push(`${number(this.selected.reduce((sum, one) => sum + one, 0))} of ${number(this.data.count)} selected`);
    const shown = this.pictures?.where.size ?? 0;
    if (shown && shown < this.data.count) parts.push(`thumbnails of ${number(shown)} of ${number(this.data.count)} images`);
    this.said.textContent = parts.join(" · ");
    this.pictureGroup.hidden = !this.pictures;
    this.pictureButton.setAttribute("aria-pressed", String(this.withPictures));
    this.clearButton.disabled = !any && this.chosen === null && !this.legend.isolated.size;
  }

  // Draw what is stale, once for each picture of the screen.
  draw() {
    this.asked ??= requestAnimationFrame(() => {
      this.asked = null;
      this.panels.filter((panel) => panel.stale && panel.width && panel.map).forEach((panel) => panel.draw());
    });
  }

  takeUp(tool) {
    this.tool = tool;
    this.tools.forEach((button, name) => button.setAttribute("aria-pressed", String(name === tool)));
    this.panels.forEach((panel) => panel.over.classList.toggle("drawing", tool !== "move"));
  }

  hover(image, panel, [x, y] = []) {
    this.card.hidden = image === null;
    if (image !== this.hovered) {
      this.hovered = image;
      this.panels.filter((one) => one.width && one.map && !one.stale).forEach((one) => one.drawOver());
      if (image !== null) this.describe(image);
    }
    if (image === null) return;
    const [stage, root] = [panel.stage.getBoundingClientRect(), this.root.getBoundingClientRect()];
    const left = stage.left - root.left + x;
    const top = stage.top - root.top + y;
    const { offsetWidth: width, offsetHeight: height } = this.card;
    this.card.style.left = `${left + 16 + width > root.width ? Math.max(0, left - 16 - width) : left + 16}px`;
    this.card.style.top = `${top + 16 + height > root.height ? Math.max(0, top - 16 - height) : top + 16}px`;
  }

  describe(image) {
    const context = this.cardPicture.getContext("2d");
    context.imageSmoothingQuality = "high";
    this.cardPicture.hidden = !this.pictures?.draw(context, image, 0, 0, 256);
    this.cardName.textContent = this.names[image];
    this.cardText.textContent = this.texts[image] ?? "";
  }

  choose(image) {
    if (image === null || image === this.chosen) return;
    this.chosen = image;
    this.redraw();
    this.tell();
  }

  select(images, further) {
    if (!further) this.selected = new Uint8Array(this.data.count);
    images.forEach((i) => { this.selected[i] = 1; });
    this.redraw();
    this.tell();
  }

  clear() {
    const path = this.panels.find((panel) => panel.path);
    if (path) return path.settle();
    const said = this.chosen !== null || this.selected.includes(1);
    this.chosen = null;
    this.selected.fill(0);
    this.legend.isolated.clear();
    this.legend.mark();
    if (said) this.tell();
  }

  // Say what is chosen, and which parts did not come.
  tell(choice = { chosen: this.chosen, selected: toBits(this.selected) }) {
    this.serial += 1;
    const lacks = this.uses().filter((digest) => !feeds.has(digest));
    this.report("choice", { ...choice, serial: this.serial, of: (this.coming ?? this.data).points, lacks });
  }

  play() {
    this.playing = true;
    this.markPlaying();
    if (this.film >= 1) this.film = 0;
    const most = Math.max(...this.panels.map((panel) => panel.map.names.length));
    const duration = 1000 * Math.min(12, Math.max(3, 0.4 * most));
    let last = performance.now();
    const step = (now) => {
      if (!this.playing) return;
      this.film = Math.min(1, this.film + Math.max(0, now - last) / duration);
      last = now;
      this.slider.value = this.film;
      if (this.film >= 1) return this.pause();
      this.panels.filter((panel) => panel.map.names.length > 1).forEach((panel) => panel.changed());
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  pause() {
    this.playing = false;
    this.markPlaying();
    this.redraw();
  }

  markPlaying() {
    this.playButton.textContent = this.playing ? "Pause" : "Play";
    this.playButton.setAttribute("aria-label", this.playing ? "Pause the film" : "Play the film");
  }
}

const mounted = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  if (data instanceof Uint8Array) return receive(data);
  if (!mounted.has(parentElement)) mounted.set(parentElement, new Maps(parentElement, data));
  const maps = mounted.get(parentElement);
  maps.hear(data, setStateValue);
  return () => {
    mounted.delete(parentElement);
    maps.close();
  };
}

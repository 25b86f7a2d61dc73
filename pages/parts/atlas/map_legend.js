// What colours, sizes, rings and signs mean: the same entries below the map and on the picture that is saved.

function legendOf(map) {
  const { data, colour, size, labels, ground, kind } = map;
  const found = [];
  if (colour === "label") {
    for (const [number, tone] of labels.of) found.push({ kind: "swatch", tone, text: data.labels[number], count: labels.counts.get(number) });
    if (labels.others) found.push({ kind: "swatch", tone: data.rest, text: "other labels", count: labels.others });
  } else if (colour === "count") {
    found.push({ kind: "ramp", stops: ground.ramp, text: "Samples, log scale", ends: ["1", counted(map.level.most)] });
  } else if (colour === "mixedness") {
    found.push({ kind: "ramp", stops: ground.ramp, text: "Mixedness", ends: ["0", "1"] });
  } else if (colour === "value") {
    const end = written(data.value.end);
    found.push({ kind: "ramp", stops: ground.signed, text: data.value.title, ends: [`−${end}`, "0", `+${end}`] });
  }
  const sizes = {
    count: `by samples, up to ${counted(map.level.most)}`,
    mixedness: "by mixedness, up to 1",
    value: `by the magnitude of the attribution, up to ${written(map.end)}`,
  };
  if (size !== "alike") found.push({ kind: "text", text: `Size: ${sizes[size]}` });
  data.groups.forEach((text, group) => { if (text) found.push({ kind: "ring", group, tone: data.colours[group % data.colours.length], text }); });
  if (kind !== "patches" && map.level.cells.some((one) => one.marked)) found.push({ kind: "sign", text: "! drives its cell no more than real patches do" });
  if (kind === "patches" && map.wanted !== "patches") found.push({ kind: "text", text: "Real patches, as there are no inverted pictures yet" });
  if (kind !== "patches" && map.level.cells.some((one) => !map.level.has("inverted", one))) {
    found.push({ kind: "text", text: map.level.any("patches") ? "Faint: the real patch, until the inverted picture is made" : "Grey: no inverted picture yet" });
  }
  return found;
}

class Legend {
  constructor(map) {
    this.map = map;
    this.root = element("div", "legend");
  }

  show() {
    const entries = legendOf(this.map);
    const said = JSON.stringify(entries);
    if (said === this.said) return;
    this.said = said;
    this.root.replaceChildren(...entries.map((one) => this[one.kind](one)));
  }

  // Pointing out where a label lives is one press.
  swatch({ tone, text, count }) {
    const square = element("i", "swatch");
    square.style.background = tone;
    const words = [square, element("span", "", { textContent: text }), element("span", "quiet", { textContent: counted(count) })];
    if (text === "other labels") return element("span", "entry", {}, ...words);
    const button = element("button", "entry", { type: "button", title: `Search ${text}`, onclick: () => this.map.search.set(text) }, ...words);
    return button;
  }

  ramp({ stops, text, ends }) {
    const bar = element("i", "ramp");
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    const scale = element("span", "scale", {}, bar, element("span", "ends", {}, ...ends.map((one) => element("span", "", { textContent: one }))));
    return element("span", "entry", {}, element("span", "", { textContent: text }), scale);
  }

  ring({ group, tone, text }) {
    const canvas = element("canvas", "ring", { width: 40, height: 40 });
    const context = canvas.getContext("2d");
    context.scale(2, 2);
    addSign(context, 10, 10, group, 6);
    strokeSigns(context, 6, tone);
    return element("span", "entry", {}, canvas, element("span", "", { textContent: text }));
  }

  sign(one) { return this.text(one); }

  text({ text }) { return element("span", "entry quiet", { textContent: text }); }
}

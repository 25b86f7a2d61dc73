// How colour and size tell of cells.

const SMALLEST = 0.4; // of its place, that a cell's picture fills

const COLOURINGS = {
  none: { title: "none" },
  label: { title: "label" },
  count: { title: "count" },
  mixedness: { title: "mixedness" },
  value: { title: "attribution" },
};
const SIZINGS = { alike: { title: "all alike" }, count: { title: "by count" }, value: { title: "by attribution" }, mixedness: { title: "by mixedness" } };

// The colours of the labels that most cells in sight have; one that stays among them keeps its colour.
class LabelColours {
  constructor() { this.of = new Map(); }

  settle(cells, colours) {
    const counts = new Map();
    for (const { label } of cells) if (label >= 0) counts.set(label, (counts.get(label) ?? 0) + 1);
    const most = [...counts].sort((one, two) => two[1] - one[1] || one[0] - two[0]).slice(0, colours.length);
    const kept = new Map(most.filter(([label]) => this.of.has(label)).map(([label]) => [label, this.of.get(label)]));
    const free = colours.filter((one) => ![...kept.values()].includes(one));
    this.counts = new Map(most);
    this.of = new Map(most.map(([label]) => [label, kept.get(label) ?? free.shift()]));
    this.others = [...counts.values()].reduce((sum, one) => sum + one, 0) - most.reduce((sum, [, one]) => sum + one, 0);
  }
}

// Where a cell lies on the scale, from 0 to 1; null where it has no such number. Counts are told by their logarithm.
function placeOn(what, cell, { end }) {
  if (what === "count") return cell.level.most > 1 ? Math.log(cell.count) / Math.log(cell.level.most) : 1;
  if (what === "mixedness") return cell.mixedness;
  return cell.value === null ? null : 0.5 + within(cell.value / end, -1, 1) / 2;
}

// The colour of a cell's frame, or null for none.
function colourOf(cell, { colour, labels, ground, end }) {
  if (colour === "none") return null;
  if (colour === "label") return labels.of.get(cell.label) ?? ground.rest;
  const place = placeOn(colour, cell, { end });
  return place === null ? ground.empty : shade(colour === "value" ? ground.signed : ground.ramp, place);
}

// How much of its place a cell's picture fills, along a side: its area tells the number.
function shareOf(cell, { size, end }) {
  if (size === "alike") return 1;
  const place = placeOn(size, cell, { end });
  const amount = place === null ? 0 : size === "value" ? Math.abs(2 * place - 1) : size === "count" ? cell.count / cell.level.most : place;
  return Math.sqrt(SMALLEST ** 2 + (1 - SMALLEST ** 2) * amount);
}

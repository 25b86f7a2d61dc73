// A cell in words.

const MIXED = [[0.05, "of one label"], [0.3, "mostly of one label"], [0.6, "mixed"], [Infinity, "very mixed"]];
const UNBEATEN = "Its inverted picture drives it no more than real patches do.";

const mixedIn = ({ mixedness }) => MIXED.find(([end]) => mixedness <= end)[1];
const labelOf = ({ label }, labels) => (label < 0 ? "no label" : labels[label]);
const samplesOf = ({ count }) => `${counted(count)} sample${count === 1 ? "" : "s"}`;

// The classes that are shown, with what the cell argues for each.
const topOf = ({ classes, attributions }) => classes.slice(0, SHOWN).map((number, i) => [number, attributions[i]]);

function sentenceOf(cell, { labels, value }) {
  const said = [`Row ${cell.row + 1}, column ${cell.column + 1} of ${cell.level.grid}: ${labelOf(cell, labels)}`,
    `${samplesOf(cell)}, ${mixedIn(cell)}, mixedness ${cell.mixedness.toFixed(2)}`];
  const top = topOf(cell);
  if (top.length) said.push(`It argues for ${top.map(([number, one]) => `${labels[number]} ${written(one, true)}`).join(", ")}`);
  if (value && cell.value !== null) said.push(`${value.title} ${written(cell.value, true)}`);
  return `${said.join(". ")}.${cell.marked ? ` ${UNBEATEN}` : ""}`;
}

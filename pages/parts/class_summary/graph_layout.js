// Where vertices and edges are: rows one above the other, a long one broken into lines that alternate, to fit the stage.

const SIDE = { least: 28, most: 60 };
const PITCH = 66; // from one vertex of a line to the next
const LINE = 64; // from one line of a row to the next
const GAP = { least: 52, most: 170 }; // between two rows
const ROOMY = 2.6; // where there is room, vertices are so many pitches apart at most
const LARGEST = 1.4; // a small graph is enlarged no further

// How many vertices a line has, so that the whole is as large as it can be in a stage of this size.
function columnsFor(counts, width, height) {
  let best = { columns: 1, scale: 0 };
  for (let columns = 2; columns <= Math.max(2, ...counts); columns += 1) {
    const lines = counts.map((count) => Math.max(1, Math.ceil(count / columns)));
    const tall = lines.reduce((sum, one) => sum + one * LINE, 0) + (counts.length - 1) * GAP.least;
    const scale = Math.min(width / (columns * PITCH), height / tall, LARGEST);
    if (scale >= best.scale) best = { columns, scale, lines };
    if (columns >= Math.max(...counts)) break;
  }
  return best;
}

// Gives each vertex its x, y and side; the result has each row's top and bottom, and the box around all.
function place(rows, width, height) {
  const { columns, scale, lines } = columnsFor(rows.map((row) => row.length), width, height);
  const fixed = lines.reduce((sum, one) => sum + one * LINE, 0);
  const gap = Math.min(GAP.most, Math.max(GAP.least, (height / scale - fixed) / Math.max(1, rows.length - 1)));
  const broad = Math.max(columns * PITCH, width / scale);
  let top = 0;
  const bands = rows.map((row, i) => {
    const longest = Math.ceil(row.length / lines[i]);
    const step = Math.min(ROOMY * PITCH, broad / Math.max(1, longest)) / lines[i];
    row.forEach((one, j) => {
      one.x = (j - (row.length - 1) / 2) * step;
      one.y = top + LINE * ((j % lines[i]) + 0.5);
      one.side = SIDE.least + (SIDE.most - SIDE.least) * Math.sqrt(one.size);
    });
    const band = { top, bottom: top + lines[i] * LINE };
    top = band.bottom + gap;
    return band;
  });
  const half = Math.max(PITCH, ...rows.flat().map((one) => one.x + PITCH / 2));
  return { bands, box: { left: -half, right: half, top: 0, bottom: top - gap } };
}

// Ends side by side along a vertex's edge, in the order of where they come from, so that they do not meet in one point.
function spread(edges, end, other) {
  edges.sort((one, two) => one[other].x - two[other].x);
  edges.forEach((edge, i) => {
    edge[`${end}X`] = edge[end].x + ((i + 0.5) / edges.length - 0.5) * edge[end].side * Math.min(0.7, 0.12 * edges.length);
  });
}

function curve({ source, target, sourceX, targetX }) {
  const from = source.y - source.side / 2;
  const to = target.y + target.side / 2;
  const bend = (from - to) * 0.5;
  const round = (number) => Math.round(number * 10) / 10;
  return `M${round(sourceX)} ${round(from)}C${round(sourceX)} ${round(from - bend)} ${round(targetX)} ${round(to + bend)} ${round(targetX)} ${round(to)}`;
}

// All edges on a way through the vertex, up from it and down from it, among those that are shown; each with how strongly
// it is reached: along the way, each edge's weight relative to the strongest that leads on from the same place.
function pathsThrough(vertex, rows) {
  const found = new Map();
  for (const [along, end, step] of [["outputs", "target", -1], ["inputs", "source", 1]]) {
    const reached = new Map([[vertex, 1]]);
    for (let row = vertex.row; rows[row]; row += step) {
      for (const one of rows[row].filter((other) => reached.has(other))) {
        const edges = one[along].filter((edge) => !edge.hidden);
        const strongest = Math.max(...edges.map((edge) => edge.weight)) || 1;
        for (const edge of edges) {
          const share = (reached.get(one) * edge.weight) / strongest;
          found.set(edge, share);
          reached.set(edge[end], Math.max(reached.get(edge[end]) ?? 0, share));
        }
      }
    }
  }
  return found;
}

// A layer's name in lines of at most so many characters, broken where its parts meet; the middle of a longer one is left out.
function broken(name, most, lines = 3) {
  const parts = name.match(/[^._/\s-]+[._/\s-]*|[._/\s-]+/g) ?? [name];
  const found = [""];
  for (const part of parts.flatMap((one) => one.match(new RegExp(`.{1,${most}}`, "g")))) {
    if ((found.at(-1) + part).trimEnd().length > most && found.at(-1)) found.push("");
    found[found.length - 1] += part;
  }
  if (found.length <= lines) return found;
  return lines > 1 ? [...found.slice(0, lines - 2), `${found[lines - 2].slice(0, most - 1)}…`, found.at(-1)] : [`…${name.slice(1 - most)}`];
}

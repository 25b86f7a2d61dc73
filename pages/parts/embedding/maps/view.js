// From positions to places on the screen.

const MARGIN = 22; // pixels around a map that is shown whole
const LARGEST_ZOOM = 64; // beyond, the steps of the positions would be seen
const DEPTH = 0.55; // how much the farthest points of a map in space fade

// The part of a map that is seen: its centre in units of the map's longer side from the map's middle, the enlargement,
// and for maps in space the rotation.
class View {
  constructor() { this.reset(); }

  reset() {
    this.zoom = 1;
    this.x = 0;
    this.y = 0;
    this.turned = turn(turn([1, 0, 0, 0, 1, 0, 0, 0, 1], 1, 0.6), 0, 0.35);
  }

  get whole() { return this.zoom === 1 && this.x === 0 && this.y === 0; }

  // Enlarge about a place that is `dx`, `dy` units of the screen from the middle.
  enlarge(factor, dx, dy, scale) {
    const zoom = Math.min(LARGEST_ZOOM, Math.max(0.5, this.zoom * factor));
    const moved = 1 / (scale * this.zoom) - 1 / (scale * zoom);
    this.x += dx * moved;
    this.y -= dy * moved;
    this.zoom = zoom;
  }

  move(dx, dy, scale) {
    this.x = limited(this.x - dx / (scale * this.zoom));
    this.y = limited(this.y + dy / (scale * this.zoom));
  }

  rotate(dx, dy) { this.turned = turn(turn(this.turned, 1, dx * 0.008), 0, dy * 0.008); }
}

const limited = (place) => Math.min(0.75, Math.max(-0.75, place)); // a map cannot be pushed out of sight

// A rotation matrix, turned further about the screen's axis 0 (to the right) or 1 (upwards).
function turn(matrix, axis, angle) {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const rows = [matrix.slice(0, 3), matrix.slice(3, 6), matrix.slice(6, 9)];
  const [a, b] = axis ? [2, 0] : [1, 2];
  const first = rows[a].map((value, i) => cosine * value - sine * rows[b][i]);
  rows[b] = rows[b].map((value, i) => sine * rows[a][i] + cosine * value);
  rows[a] = first;
  return rows.flat();
}

// The box that a map, or several on one scale, fills.
function box(maps) {
  const dims = Math.max(...maps.map((one) => one.dims));
  const axes = Array.from({ length: dims }, (_, axis) => {
    const low = Math.min(...maps.map((one) => one.low[axis] ?? 0));
    const high = Math.max(...maps.map((one) => one.high[axis] ?? 0));
    return { middle: (low + high) / 2, extent: high - low };
  });
  const side = Math.max(...axes.map((one) => one.extent)) || 1;
  const middle = axes.map((one) => one.middle);
  const reach = Math.max(...maps.map((one) => one.radius + Math.hypot(...middle.map((m, i) => m - one.middle[i])))) / side;
  return { side, middle, reach: reach || 0.5, extent: axes.map((one) => one.extent / side) };
}

// Pixels for one unit (the longer side of the box) when the map is shown whole.
function scaleOf(fit, width, height) {
  const [w, h] = [Math.max(20, width - 2 * MARGIN), Math.max(20, height - 2 * MARGIN)];
  if (fit.extent.length === 3) return Math.min(w, h) / (2 * fit.reach);
  return Math.min(fit.extent[0] ? w / fit.extent[0] : Infinity, fit.extent[1] ? h / fit.extent[1] : Infinity, 1e5);
}

// The places of all points in pixels (x, y) and how near each is (0 far, 1 near), written into `out`.
function project(map, fit, view, frame, width, height, out) {
  const scale = scaleOf(fit, width, height) * view.zoom;
  const [left, top] = [width / 2 - view.x * scale, height / 2 + view.y * scale];
  const factors = map.step.map((step) => (step / fit.side) * scale);
  const starts = map.low.map((low, axis) => ((low - fit.middle[axis]) / fit.side) * scale);
  if (map.dims === 3) return projectSpace(map.frames[0], factors, starts, view.turned, left, top, fit, scale, out);
  const first = Math.min(Math.floor(frame), map.frames.length - 1);
  const [before, after] = [map.frames[first], map.frames[Math.min(first + 1, map.frames.length - 1)]];
  const share = frame - first;
  for (let i = 0; i < map.count; i++) {
    const [x, y] = [before[2 * i], before[2 * i + 1]];
    out.x[i] = left + starts[0] + factors[0] * (x + share * (after[2 * i] - x));
    out.y[i] = top - starts[1] - factors[1] * (y + share * (after[2 * i + 1] - y));
  }
}

function projectSpace(steps, [fx, fy, fz], [sx, sy, sz], r, left, top, fit, scale, out) {
  const reach = 2 * fit.reach * scale;
  for (let i = 0; i < out.x.length; i++) {
    const [x, y, z] = [sx + fx * steps[3 * i], sy + fy * steps[3 * i + 1], sz + fz * steps[3 * i + 2]];
    out.x[i] = left + r[0] * x + r[1] * y + r[2] * z;
    out.y[i] = top - (r[3] * x + r[4] * y + r[5] * z);
    out.near[i] = 0.5 + (r[6] * x + r[7] * y + r[8] * z) / reach;
  }
}

// The edges of a box in space, as pairs of places on the screen: without them a cloud's rotation is hard to read.
function edges(fit, view, width, height) {
  const scale = scaleOf(fit, width, height) * view.zoom;
  const [left, top, r] = [width / 2 - view.x * scale, height / 2 + view.y * scale, view.turned];
  const corner = (i) => {
    const [x, y, z] = fit.extent.map((extent, axis) => ((i >> axis) & 1 ? 0.5 : -0.5) * extent * scale);
    return [left + r[0] * x + r[1] * y + r[2] * z, top - (r[3] * x + r[4] * y + r[5] * z)];
  };
  const pairs = [];
  for (let i = 0; i < 8; i++) for (const bit of [1, 2, 4]) if (!(i & bit)) pairs.push([corner(i), corner(i | bit)]);
  return pairs;
}

// Whether a place lies in a polygon (even-odd rule).
function inside(polygon, x, y) {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [[xi, yi], [xj, yj]] = [polygon[i], polygon[j]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

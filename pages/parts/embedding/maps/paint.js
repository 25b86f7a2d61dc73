// Drawing points, thumbnails and marks. Points are written into the picture's pixels by ourselves: a canvas needs ten
// times as long for twenty thousand circles.

const SMALLEST_PICTURE = 26; // of thumbnails, in pixels; they grow with the enlargement
const LARGEST_PICTURE = 64;
const CROWD = 9; // where more points share a thumbnail's place, the points say more than the picture of one of them
const OUTLINED = 3000; // so many points have an edge in the ground's colour, which keeps overlapping ones apart

function radiusFor(count, width, height, zoom) {
  const alone = Math.sqrt((width * height * 0.02) / Math.max(count, 1));
  return Math.min(7, Math.min(4.5, Math.max(1.6, alone)) * zoom ** 0.2);
}

// How much of each pixel a disc covers, 0 to 255.
function stamp(radius) {
  const reach = Math.ceil(radius);
  const size = 2 * reach + 1;
  const cover = new Uint8Array(size * size);
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const share = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
      cover[(y + reach) * size + x + reach] = Math.round(255 * share);
    }
  }
  return { reach, size, cover };
}

function disc(picture, x, y, { reach, size, cover }, colour) {
  const { width, height, data, words } = picture;
  const [left, top] = [Math.round(x) - reach, Math.round(y) - reach];
  const [from, to] = [Math.max(0, -left), Math.min(size, width - left)];
  for (let row = Math.max(0, -top); row < Math.min(size, height - top); row++) {
    const line = (top + row) * width + left;
    for (let column = from; column < to; column++) {
      const share = cover[row * size + column];
      if (share === 255) {
        words[line + column] = colour;
      } else if (share) {
        const at = 4 * (line + column);
        data[at] += ((colour & 255) - data[at]) * share / 255;
        data[at + 1] += (((colour >> 8) & 255) - data[at + 1]) * share / 255;
        data[at + 2] += (((colour >> 16) & 255) - data[at + 2]) * share / 255;
      }
    }
  }
}

// A fixed random order, so that no class covers the others because it comes last.
function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let seed = 1;
  for (let i = count - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((seed / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

// The same points from the farthest to the nearest.
function byDepth(order, near) {
  const level = (i) => Math.min(1023, Math.max(0, Math.floor(near[i] * 1024)));
  const starts = new Uint32Array(1025);
  for (const i of order) starts[level(i) + 1]++;
  for (let l = 0; l < 1024; l++) starts[l + 1] += starts[l];
  const sorted = new Uint32Array(order.length);
  for (const i of order) sorted[starts[level(i)]++] = i;
  return sorted;
}

// All points into the pixels: the faint ones first, then those that count.
function paintPoints(picture, places, colours, strong, order, radius, ratio, space, ground) {
  const [page, rim, faint] = [ground.page, ground.edge, ground.faint].map(packed);
  picture.words.fill(page);
  const sorted = space ? byDepth(order, places.near) : order;
  const edge = sorted.length <= OUTLINED ? 0.9 * ratio : 0;
  const levels = space ? 8 : 1;
  const radii = Array.from({ length: levels }, (_, l) => radius * ratio * (space ? 0.7 + (0.6 * l) / 7 : 1));
  const stamps = radii.map((one) => stamp(one));
  const edges = edge ? radii.map((one) => stamp(one + edge)) : null;
  for (const pass of [0, 1]) {
    for (const i of sorted) {
      if (strong[i] !== pass) continue;
      const near = space ? Math.min(1, Math.max(0, places.near[i])) : 1;
      const level = space ? Math.round(near * (levels - 1)) : 0;
      const [x, y] = [places.x[i] * ratio, places.y[i] * ratio];
      if (x < -20 || y < -20 || x > picture.width + 20 || y > picture.height + 20) continue;
      if (edges && pass) disc(picture, x, y, edges[level], rim);
      const colour = pass ? colours[i] : faint;
      disc(picture, x, y, stamps[level], space && pass ? mixed(colour, page, DEPTH * (1 - near)) : colour);
    }
  }
}

// Which thumbnails have room: of each cell of a grid that lies still on the map the point nearest the middle, where
// the cell is not crowded. No two overlap, and none hides an image that is `marked`.
function roomFor(places, strong, marked, view, scale, width, height, pictures) {
  const alone = 0.8 * Math.sqrt((width * height) / Math.max(strong.length, 1));
  const side = Math.round(Math.min(LARGEST_PICTURE, Math.max(SMALLEST_PICTURE, alone) * view.zoom ** 0.4));
  const cell = side + 3;
  const [left, top] = [(width / 2 - view.x * scale) % cell, (height / 2 + view.y * scale) % cell];
  const columns = Math.ceil(width / cell) + 3;
  const best = new Int32Array(columns * (Math.ceil(height / cell) + 3)).fill(-1);
  const counts = new Uint16Array(best.length);
  const distance = new Float32Array(best.length).fill(Infinity);
  for (let i = 0; i < strong.length; i++) {
    const [x, y] = [places.x[i], places.y[i]];
    if (!strong[i] || x < 0 || y < 0 || x > width || y > height) continue;
    const [across, down] = [(x - left) / cell + 1, (y - top) / cell + 1];
    const at = Math.floor(down) * columns + Math.floor(across);
    counts[at]++;
    const away = Math.hypot((across % 1) - 0.5, (down % 1) - 0.5);
    if (away < distance[at] && pictures.where.has(i)) [best[at], distance[at]] = [i, away];
  }
  const offered = [...best.keys()].filter((at) => best[at] >= 0 && counts[at] <= CROWD);
  offered.sort((a, b) => distance[a] - distance[b]);
  const placed = [];
  const apart = (x, y, u, v, least) => Math.abs(x - u) >= least || Math.abs(y - v) >= least;
  for (const image of [...marked.filter((i) => pictures.where.has(i)), ...offered.map((at) => best[at])]) {
    const [x, y] = [places.x[image], places.y[image]];
    const free = placed.every((one) => apart(x, y, one.x, one.y, cell))
      && marked.every((i) => i === image || apart(x, y, places.x[i], places.y[i], side / 2 + 5));
    if (free) placed.push({ image, x, y, side });
  }
  return placed;
}

function paintThumbnails(context, placed, pictures, colours) {
  for (const { image, x, y, side } of placed) {
    const [left, top] = [Math.round(x - side / 2), Math.round(y - side / 2)];
    context.fillStyle = css(colours[image]);
    context.fillRect(left - 1, top - 1, side + 2, side + 2);
    context.fillStyle = "#fff";
    context.fillRect(left + 1, top + 1, side - 2, side - 2);
    pictures.draw(context, image, left + 1, top + 1, side - 2);
  }
}

// A ring around a point, or a frame around the thumbnail that stands for it.
function mark(context, [x, y], side, radius, width, colour, halo) {
  for (const [thick, ink] of [[width + 2.5, halo], [width, colour]]) {
    context.lineWidth = thick;
    context.strokeStyle = ink;
    context.beginPath();
    if (side) context.rect(x - side / 2 - 2, y - side / 2 - 2, side + 4, side + 4);
    else context.arc(x, y, radius + 2 + width / 2, 0, 2 * Math.PI);
    context.stroke();
  }
}

function lines(context, pairs, width, colour) {
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.beginPath();
  for (const [[x, y], [u, v]] of pairs) {
    context.moveTo(x, y);
    context.lineTo(u, v);
  }
  context.stroke();
}

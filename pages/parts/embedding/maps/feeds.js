// Parts of the maps come once, as bytes, and stay in this window under their digests.

const MOST_KEPT = 300e6;
const feeds = new Map(); // digest → { header, body, made: what was made of it }
const drawings = new Set(); // all maps on the page, of which each uses some feeds

function receive(bytes) {
  const digest = String.fromCharCode(...bytes.subarray(0, 40));
  if (feeds.has(digest)) return;
  const content = bytes.slice(40).buffer; // a copy, so that 16-bit numbers in it are aligned
  const length = new DataView(content).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(content, 4, length)));
  feeds.set(digest, { header, body: content.slice(4 + length), made: null });
  forget();
  drawings.forEach((one) => one.refresh());
}

function forget() {
  const used = new Set([...drawings].flatMap((one) => one.uses()));
  let kept = 0;
  for (const feed of feeds.values()) kept += feed.body.byteLength;
  for (const [digest, feed] of feeds) {
    if (kept <= MOST_KEPT) return;
    // One that nothing shows may belong to a drawing that is about to come: the newest stays.
    if (used.has(digest) || digest === [...feeds.keys()].at(-1)) continue;
    kept -= feed.body.byteLength;
    feeds.delete(digest);
  }
}

// Positions as 16-bit steps, one array a frame; a step's size and where it begins, on each axis.
function positions(feed) {
  feed.made ??= (() => {
    const { dims, count, names, of, low, high } = feed.header;
    const length = count * dims;
    const frames = names.map((_, i) => new Uint16Array(feed.body, 2 * i * length, length));
    const step = low.map((from, axis) => (high[axis] - from) / 65535);
    const middle = low.map((from, axis) => (from + high[axis]) / 2);
    return { dims, count, names, of, low, high, step, frames, middle, radius: radiusOf(frames[0], step) };
  })();
  return feed.made;
}

// How far from the middle of its box a map reaches, in any direction.
function radiusOf(steps, step) {
  let most = 0;
  for (let i = 0; i < steps.length; i += step.length) {
    most = Math.max(most, Math.hypot(...step.map((size, axis) => (steps[i + axis] - 32767.5) * size)));
  }
  return most;
}

// The colour of every point, as the canvas stores it, and what the legend says.
function colouring(feed) {
  feed.made ??= (() => {
    const { header } = feed;
    const places = new Uint16Array(feed.body);
    const table = header.kind === "classes" ? header.colours.map(packed) : ramp(header.colours.map(parts), 256);
    const colours = new Uint32Array(places.length);
    for (let i = 0; i < places.length; i++) {
      const place = header.kind === "classes" ? places[i] : Math.round((places[i] / 65534) * 255);
      colours[i] = places[i] === 65535 ? packed("#8a8a8a") : table[place];
    }
    const known = new Map([...new Set(colours)].map((one) => [one, lightened(one)]));
    return { ...header, stops: header.colours, places, colours, lightened: colours.map((one) => known.get(one)) };
  })();
  return feed.made;
}

// Where the thumbnail of an image lies; the sheets are decoded by the browser, beside everything else.
class Thumbnails {
  constructor(digests) {
    this.digests = digests;
    this.where = new Map();
    for (const digest of digests) {
      const feed = feeds.get(digest);
      const { count, size, columns } = feed.header;
      this.size = size;
      new Int32Array(feed.body, 0, count).forEach((image, i) => {
        this.where.set(image, { feed, x: (i % columns) * size, y: Math.floor(i / columns) * size });
      });
      decode(feed, 4 * count);
    }
  }

  draw(context, image, x, y, side) {
    const found = this.where.get(image);
    if (!found?.feed.bitmap) return false;
    context.drawImage(found.feed.bitmap, found.x, found.y, this.size, this.size, x, y, side, side);
    return true;
  }
}

async function decode(feed, start) {
  if (feed.made) return;
  feed.made = true;
  feed.bitmap = await createImageBitmap(new Blob([new Uint8Array(feed.body, start)], { type: "image/jpeg" }));
  drawings.forEach((one) => one.redraw());
}

const parts = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
const packed = (colour) => join(...parts(colour));
const join = (red, green, blue) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
const css = (colour) => `rgb(${colour & 255}, ${(colour >> 8) & 255}, ${(colour >> 16) & 255})`;

function ramp(stops, count) {
  return Array.from({ length: count }, (_, i) => {
    const place = (i / (count - 1)) * (stops.length - 1);
    const before = Math.min(Math.floor(place), stops.length - 2);
    const share = place - before;
    return join(...stops[before].map((from, c) => Math.round(from + share * (stops[before + 1][c] - from))));
  });
}

function fromBits(text, count) {
  const chosen = new Uint8Array(count);
  if (!text) return chosen;
  const bytes = atob(text);
  for (let i = 0; i < count; i++) chosen[i] = (bytes.charCodeAt(i >> 3) >> (i & 7)) & 1;
  return chosen;
}

function toBits(chosen) {
  if (!chosen.includes(1)) return "";
  const bytes = new Uint8Array(Math.ceil(chosen.length / 8));
  chosen.forEach((one, i) => { bytes[i >> 3] |= one << (i & 7); });
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

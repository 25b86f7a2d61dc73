// The whole map of the level in sight as a picture for print: 20 cm wide at 300 dots per inch, or more.

const PRINT = 2400; // pixels of the map's side, at least
const WIDEST = 4800;
const EDGE = 60; // around it
const LETTER = 40;
const DOTS = 11811; // a metre: 300 an inch

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// On a light ground, whatever the page has.
function printed(map) {
  const { level } = map;
  const side = within(Math.ceil(PRINT / level.grid) * level.grid, PRINT, WIDEST);
  const unit = side / 800;
  const entries = legendOf({ ...map.scene(), data: map.data, level, end: map.end, ground: GROUNDS.light });
  const pen = document.createElement("canvas").getContext("2d");
  const family = "system-ui, sans-serif";
  pen.font = `${LETTER}px ${family}`;
  const lines = broken(pen, map.data.title, side, 1.35);
  const rows = arranged(pen, entries, side);
  const [above, below] = [EDGE + lines.length * 1.6 * LETTER, rows.length * 2.4 * LETTER];
  const canvas = element("canvas", "", { width: side + 2 * EDGE, height: above + side + LETTER + below + EDGE });
  const context = canvas.getContext("2d");
  context.fillStyle = GROUNDS.light.page;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = GROUNDS.light.ink;
  context.font = `600 ${1.35 * LETTER}px ${family}`;
  lines.forEach((line, i) => context.fillText(line, EDGE, EDGE + (i * 1.6 + 0.8) * LETTER));
  context.save();
  context.translate(EDGE, above);
  const sight = Object.assign(new Sight(), { width: side, height: side, scale: side, finest: level.grid });
  const scene = { ...map.scene(), sight, ground: GROUNDS.light, unit, dense: true, opacity: map.levels.map((one) => (one.grid <= level.grid ? 1 : 0)) };
  paintMap(context, scene);
  paintPoints(context, scene, map.data);
  paintLine(context, scene, map.path.line);
  context.restore();
  context.font = `${LETTER}px ${family}`;
  context.textBaseline = "middle";
  rows.forEach((row, i) => row.forEach((one) => paintEntry(context, one, EDGE + one.x, above + side + LETTER + (i + 0.6) * 2.4 * LETTER, scene)));
  return canvas;
}

// Words in lines that are no wider than there is room.
function broken(pen, text, room, larger = 1) {
  const found = [""];
  for (const word of text.split(" ")) {
    const longer = found.at(-1) ? `${found.at(-1)} ${word}` : word;
    if (larger * pen.measureText(longer).width > room && found.at(-1)) found.push(word);
    else found[found.length - 1] = longer;
  }
  return found;
}

const RAMP = 14 * LETTER;

function arranged(pen, entries, room) {
  const rows = [];
  let x = Infinity;
  for (const one of entries) {
    const text = one.count === undefined ? one.text : `${one.text} (${counted(one.count)})`;
    const wide = pen.measureText(text).width + (one.kind === "ramp" ? RAMP + 40 : one.kind === "text" || one.kind === "sign" ? 0 : 1.6 * LETTER);
    if (x + wide > room) {
      rows.push([]);
      x = 0;
    }
    rows.at(-1).push({ ...one, text, x });
    x += wide + 1.5 * LETTER;
  }
  return rows;
}

function paintEntry(context, { kind, text, tone, group, stops, ends }, x, y, { ground }) {
  context.fillStyle = ground.ink;
  context.textAlign = "left";
  if (kind === "swatch") {
    context.fillStyle = tone;
    context.fillRect(x, y - LETTER / 2, LETTER, LETTER);
  } else if (kind === "ring") {
    paintPoint(context, x + LETTER / 2, y, group, LETTER / 2.4, tone, ground.page);
  }
  context.fillStyle = ground.ink;
  context.fillText(text, x + (tone ? 1.5 * LETTER : 0), y);
  if (kind !== "ramp") return;
  const left = x + context.measureText(text).width + 40;
  const shades = context.createLinearGradient(left, 0, left + RAMP, 0);
  stops.forEach((one, i) => shades.addColorStop(i / (stops.length - 1), one));
  context.fillStyle = shades;
  context.fillRect(left, y - LETTER, RAMP, 0.9 * LETTER);
  context.fillStyle = ground.ink;
  ends.forEach((one, i) => {
    context.textAlign = ["left", "center", "right"][ends.length === 2 ? 2 * i : i];
    context.fillText(one, left + (RAMP * i) / (ends.length - 1), y + 0.55 * LETTER);
  });
}

function savePng(map) {
  printed(map).toBlob(async (blob) => save(new Blob([dense(new Uint8Array(await blob.arrayBuffer()))], { type: "image/png" }), `${map.data.file}.png`));
}

// A PNG that says how many dots it has to the inch: a chunk pHYs after the first one, which ends at byte 33.
function dense(bytes) {
  const chunk = new DataView(new ArrayBuffer(21));
  chunk.setUint32(0, 9);
  [..."pHYs"].forEach((letter, i) => chunk.setUint8(4 + i, letter.charCodeAt(0)));
  chunk.setUint32(8, DOTS);
  chunk.setUint32(12, DOTS);
  chunk.setUint8(16, 1);
  chunk.setUint32(17, checksum(new Uint8Array(chunk.buffer, 4, 13)));
  const whole = new Uint8Array(bytes.length + 21);
  whole.set(bytes.subarray(0, 33));
  whole.set(new Uint8Array(chunk.buffer), 33);
  whole.set(bytes.subarray(33), 54);
  return whole;
}

// CRC-32, as PNG asks for.
function checksum(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return (rest ^ 0xffffffff) >>> 0;
}

// Drawing the map, on the screen or to be saved: nothing but what is in sight, from the sheets.

const FADED = 0.12; // of what a search does not find
const UNMADE = 0.35; // of a real patch in the place of an inverted picture that is not made yet
const LEFT = 0.5; // of a coarser level's cell between finer ones that tell of numbers
const INSET = 0.45; // of a picture's side, that the patch in its corner has
const SIGNED = 18; // pixels from which a picture has room for a sign
const RADII = [[200, 6], [1000, 4.5], [Infinity, 3]]; // in pixels, of the signs of up to so many places
const SHAPES = ["ring", "square", "diamond", "triangle"];

// A scene: sight, levels, opacity (of each level), kind, colour, size, labels, found, ground, end; and perhaps a strip of
// the stage, of which alone cells are painted, the unit of lines, and whether it is dense.
function paintMap(context, scene) {
  const { sight, levels, opacity, ground, strip = [0, 0, sight.width, sight.height] } = scene;
  const [left, top, wide, high] = strip;
  const box = [...sight.toMap(left, top), ...sight.toMap(left + wide, top + high)];
  context.globalAlpha = 1;
  context.fillStyle = ground.page;
  context.fillRect(...strip);
  context.imageSmoothingQuality = scene.dense ? "high" : "medium";
  const shown = opacity.lastIndexOf(1);
  levels.forEach((level, i) => {
    if (!opacity[i]) return;
    const finer = opacity[i + 1] === 1 ? levels[i + 1] : null;
    for (const cell of level.between(...box)) {
      if (finer && level.covered(cell, finer)) continue;
      const [x, y] = [Math.round(sight.x + cell.x * sight.scale), Math.round(sight.y + cell.y * sight.scale)];
      const [right, bottom] = [Math.round(sight.x + (cell.x + level.side) * sight.scale), Math.round(sight.y + (cell.y + level.side) * sight.scale)];
      // A cell that reached into the next place would be cut where that is painted alone.
      const side = Math.min(right - x, bottom - y);
      if (i) {
        context.globalAlpha = opacity[i];
        context.fillStyle = ground.page;
        context.fillRect(x, y, right - x, bottom - y);
      }
      const bright = scene.found && !scene.found.has(cell) ? FADED : 1;
      if (i < shown) paintRest(context, scene, cell, x, y, side, bright);
      else paintCell(context, scene, cell, x, y, side, opacity[i] * bright);
    }
  });
  context.globalAlpha = 1;
}

function paintCell(context, scene, cell, x, y, place, opacity) {
  const { level } = cell;
  const unit = scene.unit ?? 1;
  const room = place - (place > 24 * unit ? 2 * unit : place > 8 * unit ? unit : 0);
  const whole = Math.max(2, Math.round(room * shareOf(cell, scene)));
  const [left, top] = [x + Math.floor((place - whole) / 2), y + Math.floor((place - whole) / 2)];
  const colour = colourOf(cell, scene);
  const frame = colour ? Math.min(Math.max(2 * unit, Math.round(0.09 * whole)), Math.floor(whole / 3)) : 0;
  context.globalAlpha = opacity;
  if (colour) {
    context.fillStyle = colour;
    context.fillRect(left, top, whole, whole);
  }
  const inner = whole - 2 * frame;
  paintPicture(context, scene, cell, left + frame, top + frame, inner, opacity);
  if (cell.marked && scene.kind !== "patches" && level.has("inverted", cell) && whole >= SIGNED * unit) paintSign(context, scene, left + frame, top + whole - frame, unit);
}

// What a finer level leaves of a coarser one's cell: its picture, without a frame and size that would be cut.
function paintRest(context, scene, cell, x, y, side, opacity) {
  const told = scene.colour !== "none" || scene.size !== "alike";
  context.globalAlpha = opacity * (told ? LEFT : 1);
  paintPicture(context, scene, cell, x, y, side, context.globalAlpha);
}

function paintPicture(context, { kind, ground }, cell, x, y, side, opacity) {
  const { level } = cell;
  const main = kind === "patches" ? "patches" : "inverted";
  if (!level.has(main, cell)) {
    context.fillStyle = ground.empty;
    context.fillRect(x, y, side, side);
    context.globalAlpha = opacity * UNMADE;
    level.draw(context, "patches", cell, x, y, side);
    context.globalAlpha = opacity;
    return;
  }
  level.draw(context, main, cell, x, y, side);
  if (kind !== "both" || !level.has("patches", cell)) return;
  const inset = Math.round(side * INSET);
  const line = side > 60 ? 2 : 1;
  context.fillStyle = ground.page;
  context.fillRect(x + side - inset - line, y + side - inset - line, inset + line, inset + line);
  level.draw(context, "patches", cell, x + side - inset, y + side - inset, inset);
}

// An exclamation mark in the lower left corner.
function paintSign(context, { ground }, left, bottom, unit) {
  const [x, y, radius] = [left + 7 * unit, bottom - 7 * unit, 6 * unit];
  context.fillStyle = ground.page;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = ground.ink;
  context.fillRect(x - unit, y - 4 * unit, 2 * unit, 5 * unit);
  context.fillRect(x - unit, y + 2 * unit, 2 * unit, 2 * unit);
}

// A frame around a cell, on a halo so that it is seen on any picture.
function outline(context, { sight, ground }, cell, width, colour) {
  const side = cell.level.side * sight.scale;
  for (const [thick, ink] of [[width + 3, ground.page], [width, colour]]) {
    context.lineWidth = thick;
    context.strokeStyle = ink;
    context.strokeRect(sight.x + cell.x * sight.scale, sight.y + cell.y * sight.scale, side, side);
  }
}

// A place's sign, added to what is to be stroked: a group has a shape as well as a colour.
function addSign(context, x, y, group, radius) {
  const shape = SHAPES[group % SHAPES.length];
  const corners = { square: [[-1, -1], [1, -1], [1, 1], [-1, 1]], diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]], triangle: [[0, -1.3], [1.2, 0.9], [-1.2, 0.9]] }[shape];
  if (corners) {
    corners.forEach(([dx, dy], i) => context[i ? "lineTo" : "moveTo"](x + dx * radius, y + dy * radius));
    context.closePath();
  } else {
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
  }
}

function strokeSigns(context, radius, colour) {
  for (const [thick, ink] of [[radius, HALO], [radius / 2.2, colour]]) {
    context.lineWidth = thick;
    context.strokeStyle = ink;
    context.stroke();
  }
}

// All of a group at once; the more there are, the smaller they are.
function paintPoints(context, { sight, unit = 1 }, { points, groups, colours }) {
  const radius = unit * RADII.find(([most]) => points.length <= most)[1];
  groups.forEach((_, group) => {
    context.beginPath();
    for (const [u, v, of] of points) {
      const [x, y] = [sight.x + u * sight.scale, sight.y + v * sight.scale];
      const seen = x > -9 && y > -9 && x < sight.width + 9 && y < sight.height + 9;
      if (of === group && seen) addSign(context, x, y, group, radius);
    }
    strokeSigns(context, radius, colours[group % colours.length]);
  });
}

// The line of a path, from its open end to its arrow.
function paintLine(context, { sight, ground, unit = 1 }, line) {
  if (line.length < 2) return;
  const places = line.map(([u, v]) => [sight.x + u * sight.scale, sight.y + v * sight.scale]);
  const [x, y] = places.at(-1);
  const back = places.findLast(([a, b]) => Math.hypot(a - x, b - y) > 12 * unit) ?? places[0];
  const angle = Math.atan2(y - back[1], x - back[0]);
  for (const [thick, ink] of [[6, ground.page], [3, ground.accent]]) {
    context.lineWidth = thick * unit;
    context.strokeStyle = ink;
    context.lineJoin = context.lineCap = "round";
    context.beginPath();
    places.forEach(([a, b]) => context.lineTo(a, b));
    for (const turned of [2.6, -2.6]) {
      context.moveTo(x, y);
      context.lineTo(x + 13 * unit * Math.cos(angle + turned), y + 13 * unit * Math.sin(angle + turned));
    }
    context.stroke();
  }
}

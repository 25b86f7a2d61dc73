// What of the map is in sight, how near, and which level that shows.

const NEAR = 40; // pixels that a tile has at least, where its level is shown
const NEAREST = 200; // that one of the finest level has at most
const MARGIN = 8;
const FADING = 220; // milliseconds in which a finer level comes up

class Sight {
  constructor() {
    Object.assign(this, { x: 0, y: 0, scale: 1, width: 0, height: 0, fitted: true });
  }

  get whole() { return Math.max(40, Math.min(this.width, this.height) - 2 * MARGIN); }

  resize(width, height, finest) {
    const [u, v] = this.toMap(this.width / 2, this.height / 2);
    Object.assign(this, { width, height, finest });
    if (this.fitted) return this.home();
    this.x = width / 2 - u * this.scale;
    this.y = height / 2 - v * this.scale;
    this.hold();
  }

  home() {
    Object.assign(this, { scale: this.whole, fitted: true });
    this.hold();
  }

  // Enlarge about a place on the screen.
  zoom(factor, x, y) {
    const scale = within(this.scale * factor, this.whole, Math.max(2 * this.whole, NEAREST * this.finest));
    if (scale <= this.whole) return this.home();
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    Object.assign(this, { scale, fitted: false });
    this.hold();
  }

  move(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.hold();
  }

  // On whole pixels, so that what is painted can be moved. A map that is smaller than the stage stands in its middle; a larger one leaves no more of it empty than a margin.
  hold() {
    const held = (at, room) => (this.scale + 2 * MARGIN <= room ? (room - this.scale) / 2 : within(at, room - this.scale - MARGIN, MARGIN));
    this.x = Math.round(held(this.x, this.width));
    this.y = Math.round(held(this.y, this.height));
  }

  toMap(x, y) { return [(x - this.x) / this.scale, (y - this.y) / this.scale]; }

  // The box of the map that is in sight.
  get box() { return [...this.toMap(0, 0), ...this.toMap(this.width, this.height)]; }

  // Moves until a cell is in sight.
  reveal({ x, y, level }) {
    const shift = (at, side, room) => (at < MARGIN ? MARGIN - at : at + side > room - MARGIN ? room - MARGIN - at - side : 0);
    const side = level.side * this.scale;
    this.move(shift(this.x + x * this.scale, side, this.width), shift(this.y + y * this.scale, side, this.height));
  }

  // The finest level whose tiles are wide enough.
  levelOf(levels) {
    const last = levels.findLastIndex((one) => one.side * this.scale >= NEAR);
    return Math.max(0, last);
  }
}

// How far each level has come up, from 0 to 1: all up to the one that is shown are there, the next ones fade.
class Fading {
  constructor() {
    this.opacity = [];
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
  }

  // Whether it goes on.
  step(levels, target, now) {
    const passed = this.still.matches || this.opacity.length !== levels.length ? Infinity : (now - (this.last ?? now)) / FADING;
    const before = this.opacity;
    this.opacity = levels.map((_, i) => {
      const goal = i <= target ? 1 : 0;
      return passed === Infinity ? goal : within(before[i] + Math.sign(goal - before[i]) * passed, Math.min(goal, before[i]), Math.max(goal, before[i]));
    });
    const going = this.opacity.some((one, i) => one !== (i <= target ? 1 : 0));
    this.last = going ? now : null;
    return going;
  }
}

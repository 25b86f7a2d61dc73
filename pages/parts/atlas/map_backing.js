// The map as it was last painted: moved, it is painted only where it newly comes into sight.

class Backing {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.known = {};
  }

  // `stamp` is another one when anything but the sight is.
  paint(scene, ratio, stamp) {
    const { x, y, scale, width, height } = scene.sight;
    const now = { scale, width, height, ratio, stamp, opacity: scene.opacity.join() };
    const [dx, dy] = [x - this.x, y - this.y];
    const same = Object.entries(now).every(([name, one]) => this.known[name] === one);
    Object.assign(this, { known: now, x, y });
    if (same && !dx && !dy) return this.canvas;
    if (!same || Math.abs(dx) >= width || Math.abs(dy) >= height) this.anew(scene, ratio);
    else this.shift(scene, ratio, dx, dy);
    return this.canvas;
  }

  get context() { return this.canvas.getContext("2d", { alpha: false }); }

  anew(scene, ratio) {
    const [width, height] = [scene.sight.width, scene.sight.height].map((one) => Math.round(one * ratio));
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const { context } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintMap(context, scene);
  }

  shift(scene, ratio, dx, dy) {
    const { context } = this;
    const { width, height } = scene.sight;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.canvas, dx * ratio, dy * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const strips = [[dx > 0 ? 0 : width + dx, 0, Math.abs(dx), height], [0, dy > 0 ? 0 : height + dy, width, Math.abs(dy)]];
    for (const strip of strips.filter(([, , wide, high]) => wide && high)) {
      context.save();
      context.beginPath();
      context.rect(...strip);
      context.clip();
      paintMap(context, { ...scene, strip });
      context.restore();
    }
  }
}

// From cell to cell by keys.

class Cursor {
  constructor(map) {
    Object.assign(this, { map, cell: null, last: null });
  }

  // Into the cells, where one was last or near the middle of what is in sight; then what Enter does to one.
  enter() {
    const { map, cell } = this;
    if (!cell) {
      const known = [this.last, map.chosen].map((name) => name && map.named(name)).find((one) => one?.level === map.level);
      this.goTo(known ?? this.nearest(...map.sight.toMap(map.sight.width / 2, map.sight.height / 2)));
    } else if (map.drawing) {
      map.path.mark(...this.middle(cell));
    } else {
      map.choose(cell);
    }
  }

  middle({ x, y, level }) { return [x + level.side / 2, y + level.side / 2]; }

  // The cell of the shown level whose middle is nearest to a place of the map.
  nearest(u, v) {
    const away = (one) => Math.hypot(this.middle(one)[0] - u, this.middle(one)[1] - v);
    return this.map.level.cells.reduce((best, one) => (!best || away(one) < away(best) ? one : best), null);
  }

  goTo(cell) {
    const { map } = this;
    if (!cell) return;
    this.cell = cell;
    this.last = cell.name;
    map.sight.reveal(cell);
    map.moved();
    map.point(cell);
    map.announce(sentenceOf(cell, map.data));
  }

  // Another level is shown: on at the same place of the map.
  follow() {
    if (this.cell && this.cell.level !== this.map.level) this.goTo(this.nearest(...this.middle(this.cell)));
  }

  leave() {
    if (!this.cell) return;
    this.cell = null;
    this.map.point(null);
    this.map.announce("");
  }

  // Along the rows to the next cell, or to the nearest one of the next row that has any.
  step(dx, dy) {
    const { cell } = this;
    const { level } = this.map;
    level.order ??= [...level.cells].sort((one, two) => one.row - two.row || one.column - two.column);
    if (dx) return this.goTo(level.order[level.order.indexOf(cell) + dx]);
    const beyond = level.order.filter((one) => Math.sign(one.row - cell.row) === dy);
    const row = dy > 0 ? beyond[0]?.row : beyond.at(-1)?.row;
    const away = (one) => Math.abs(one.column - cell.column);
    this.goTo(beyond.filter((one) => one.row === row).reduce((best, one) => (!best || away(one) < away(best) ? one : best), null));
  }
}

// Where a class lives: cells of that label, or that argue for it strongly, stay bright.

const STRONG = 0.5; // of a cell's largest attribution: so much makes a class one of those that a search finds there
let searches = 0;

class Search {
  constructor(map) {
    this.map = map;
    const id = `labels-${(searches += 1)}`;
    this.list = element("datalist", "", { id });
    this.input = element("input", "", { type: "search", placeholder: "Search a class", oninput: () => this.find() });
    this.input.setAttribute("list", id);
    this.input.setAttribute("aria-label", "Search a class");
    this.input.title = "Cells with this label stay bright, and those whose attribution to it is at least half of their largest";
    this.output = element("output");
    this.output.setAttribute("aria-live", "polite");
    this.root = element("span", "search", {}, this.input, this.list, this.output);
  }

  set(text) {
    this.input.value = this.input.value === text ? "" : text;
    this.find();
  }

  offer() {
    const { data, levels } = this.map;
    const used = new Set(levels.flatMap(({ cells }) => cells.flatMap((one) => [one.label, ...one.classes.slice(0, SHOWN)])));
    const names = data.labels.filter((_, number) => used.has(number));
    const said = JSON.stringify(names);
    if (said !== this.said) this.list.replaceChildren(...names.map((value) => element("option", "", { value })));
    this.said = said;
  }

  // A class's whole name means that class alone.
  find() {
    const { map } = this;
    const wanted = this.input.value.trim().toLowerCase();
    const names = map.data.labels.map((one) => one.toLowerCase());
    const matches = names.flatMap((name, number) => (name === wanted ? [number] : []));
    const numbers = new Set(matches.length ? matches : names.flatMap((name, number) => (name.includes(wanted) ? [number] : [])));
    map.found = wanted ? new Set(map.levels.flatMap(({ cells }) => cells.filter((one) => this.matches(one, numbers)))) : null;
    this.count();
    map.repaint();
  }

  matches({ label, classes, attributions }, numbers) {
    if (numbers.has(label)) return true;
    const least = Math.max(0, STRONG * (attributions[0] ?? 0));
    return classes.slice(0, SHOWN).some((number, i) => numbers.has(number) && attributions[i] > 0 && attributions[i] >= least);
  }

  count() {
    const { found, level } = this.map;
    const shown = found && level.cells.filter((one) => found.has(one)).length;
    const said = found ? `${counted(shown)} of ${counted(level.cells.length)} cells` : "";
    if (this.output.textContent !== said) this.output.textContent = said;
  }
}

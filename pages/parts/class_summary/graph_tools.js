// The bar above a graph: zoom, filters, names, files.

class GraphTools {
  constructor(graph, bar) {
    this.bar = bar;
    const { least } = graph;
    const middle = () => [graph.width / 2, graph.height / 2];
    this.group(this.button("+", "Enlarge", () => graph.zoom(1.4, ...middle())),
      this.button("−", "Shrink", () => graph.zoom(1 / 1.4, ...middle())),
      this.button("Fit", "Fit: show the whole graph", () => graph.fit()));
    // It moves finely among the small weights, where most edges are.
    this.weight = this.slider("Least weight", (share) => { least.weight = share ** 2; graph.filter(); });
    this.support = this.slider("Least support", (share) => { least.support = share; graph.filter(); });
    const names = document.createElement("label");
    names.innerHTML = `<input type="checkbox" checked> Layer names`;
    names.firstElementChild.onchange = (event) => { graph.named = event.target.checked; graph.arrange(); };
    bar.append(names);
    this.json = this.button("JSON", "JSON: save the graph's numbers", () =>
      save(new Blob([graph.data.json], { type: "application/json" }), `${graph.data.file}.json`));
    this.group(this.button("PNG", "PNG: save what is shown as a picture", () => savePng(graph.drawing(), graph.data.file)),
      this.button("SVG", "SVG: save what is shown as a drawing", () => saveSvg(graph.drawing(), graph.data.file)), this.json);
  }

  group(...all) {
    const one = document.createElement("span");
    one.className = "group";
    one.append(...all);
    this.bar.append(one);
  }

  button(text, title, act) {
    const one = Object.assign(document.createElement("button"), { type: "button", textContent: text, title, onclick: act });
    one.setAttribute("aria-label", title);
    return one;
  }

  slider(title, take) {
    const label = document.createElement("label");
    label.innerHTML = `${title} <input type="range" min="0" max="100" value="0"><output></output>`;
    const [input, output] = label.children;
    input.oninput = () => take(input.value / 100);
    this.bar.append(label);
    return { label, input, output };
  }

  // What is offered for this graph: there may be no support to filter by, or no numbers to save.
  offer(data, supported) {
    this.bar.setAttribute("aria-label", data.label);
    this.json.hidden = data.json === null;
    this.support.label.hidden = !supported;
  }

  tell({ weight, support }, shown, of) {
    this.weight.output.textContent = `${weight.toFixed(2)}: ${shown} of ${of} edges`;
    this.support.output.textContent = support.toFixed(2);
  }
}

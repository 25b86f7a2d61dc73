// The pictures of a row of a graph, for the graph of the same key, wherever on the page it is.

const packs = (globalThis[Symbol.for("loupe graph pictures")] ??= new Map());

export default function ({ data, parentElement }) {
  packs.set(parentElement, data);
  dispatchEvent(new CustomEvent("loupe-graph-pictures", { detail: data.key }));
  return () => packs.delete(parentElement);
}

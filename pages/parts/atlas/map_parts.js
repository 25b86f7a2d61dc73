// A part of an atlas (the numbers of a level, or a sheet of its pictures), for the map of the same key on this page.

const parts = (globalThis[Symbol.for("loupe atlas parts")] ??= new Map());

export default function ({ data, parentElement }) {
  parts.set(parentElement, data);
  dispatchEvent(new CustomEvent("loupe-atlas-parts", { detail: data.key }));
  return () => parts.delete(parentElement);
}

// A part of an atlas (the numbers of a level, or a sheet of its pictures), for the map of the same key on this page.

const parts = (globalThis[Symbol.for("loupe atlas parts")] ??= new Map());

export default function ({ data, parentElement }) {
  parts.set(parentElement, data);
  const tell = () => dispatchEvent(new CustomEvent("loupe-atlas-parts", { detail: data.key }));
  tell();
  return () => {
    parts.delete(parentElement);
    // It may come again at once, changed.
    setTimeout(() => { if (!parts.has(parentElement)) tell(); });
  };
}

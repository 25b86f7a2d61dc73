// How Streamlit draws the map, and draws it again.

const mounted = new Map();

export default function ({ data, parentElement, setStateValue }) {
  if (!mounted.has(parentElement)) mounted.set(parentElement, new AtlasMap(parentElement));
  const map = mounted.get(parentElement);
  map.update(data, setStateValue);
  return () => {
    mounted.delete(parentElement);
    map.close();
  };
}

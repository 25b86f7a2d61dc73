// The drawing to take along, as it is shown: a file in SVG that needs nothing else, or a picture of it.

const KEPT = ["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linecap",
  "opacity", "paint-order", "stroke-linejoin", "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline"];
const DENSE = 2;

// A copy in which every style is written out, since the file lies where this page's stylesheet is not.
function standalone(svg, title, groups) {
  const copy = svg.cloneNode(true);
  const [originals, copies] = [svg, copy].map((one) => [one, ...one.querySelectorAll("*")]);
  const gone = [];
  originals.forEach((one, i) => {
    const style = getComputedStyle(one);
    if (style.display === "none" && !one.closest("defs")) gone.push(copies[i]);
    const written = one.closest("defs") ? [] : KEPT.map((name) => `${name}:${style.getPropertyValue(name)}`);
    for (const name of ["tabindex", "role", "style", "aria-pressed", "aria-describedby"]) copies[i].removeAttribute(name);
    if (written.length) copies[i].setAttribute("style", written.join(";"));
  });
  gone.forEach((one) => one.remove());
  const { width, height: above } = svg.getBoundingClientRect();
  const key = legendOf(groups, getComputedStyle(svg), width, above);
  const height = above + key.tall;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const ground = made("rect", { width: "100%", height: "100%", fill: groundOf(svg) });
  copy.prepend(Object.assign(made("title"), { textContent: title }), ground);
  copy.append(...key.parts);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

// What the groups' signs mean, below the drawing: on the page that stands outside of it.
function legendOf(groups, style, width, top) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "13px sans-serif";
  let [x, y] = [20, top + 16];
  const parts = groups.map(({ title, colour, sign, ink, line }) => {
    const wide = pen.measureText(title).width + 40;
    if (x > 20 && x + wide > width) [x, y] = [20, y + 24];
    const written = { fill: style.color, "font-family": style.fontFamily, "font-size": 13, "dominant-baseline": "central" };
    const mark = line
      ? [made("path", { d: "M-9 0H9", stroke: colour, "stroke-width": 3, "stroke-dasharray": line === "dashed" ? "7 4" : "none" })]
      : [made("circle", { r: 8, fill: colour }),
        made("text", { ...written, fill: ink, "font-size": 11, "font-weight": 700, "text-anchor": "middle" }, sign)];
    const one = made("g", { transform: `translate(${x} ${y})` }, ...mark, made("text", { ...written, x: 14 }, title));
    x += wide;
    return one;
  });
  return { parts, tall: groups.length ? y - top + 16 : 0 };
}

function groundOf(one) {
  for (let box = one; box; box = box.parentElement ?? box.getRootNode().host) {
    const colour = getComputedStyle(box).backgroundColor;
    if (colour && !/^(transparent|rgba\(.*, 0\))$/.test(colour)) return colour;
  }
  return "#fff";
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function saveSvg({ text }, name) {
  save(new Blob([text], { type: "image/svg+xml" }), `${name}.svg`);
}

async function savePng({ text, width, height }, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const picture = Object.assign(new Image(), { src: address });
  await picture.decode();
  URL.revokeObjectURL(address);
  const canvas = Object.assign(document.createElement("canvas"), { width: DENSE * width, height: DENSE * height });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(blob, `${name}.png`));
}

// The drawing to take along, as it is shown: a file in SVG that needs nothing else, or a picture of it.

const KEPT = ["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linecap",
  "opacity", "paint-order", "stroke-linejoin", "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline"];
const DENSE = 2;

// A copy in which every style is written out, since the file lies where this page's stylesheet is not.
function standalone(svg, title) {
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
  const { width, height } = svg.getBoundingClientRect();
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const ground = made("rect", { width: "100%", height: "100%", fill: groundOf(svg) });
  copy.prepend(Object.assign(made("title"), { textContent: title }), ground);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

function groundOf(one) {
  for (let box = one; box; box = box.parentElement ?? box.getRootNode().host) {
    const colour = getComputedStyle(box).backgroundColor;
    if (colour && !/^(transparent|rgba\(.*, 0\))$/.test(colour)) return colour;
  }
  return "#fff";
}

function made(tag, attributes = {}, ...children) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.append(...children);
  return one;
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function saveSvg(svg, title, name) {
  save(new Blob([standalone(svg, title).text], { type: "image/svg+xml" }), `${name}.svg`);
}

async function savePng(svg, title, name) {
  const { text, width, height } = standalone(svg, title);
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const picture = Object.assign(new Image(), { src: address });
  await picture.decode();
  URL.revokeObjectURL(address);
  const canvas = Object.assign(document.createElement("canvas"), { width: DENSE * width, height: DENSE * height });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(blob, `${name}.png`));
}

// Elements, and numbers as they are written.

function element(tag, name = "", properties = {}, ...children) {
  const one = Object.assign(document.createElement(tag), properties);
  if (name) one.className = name;
  one.append(...children);
  return one;
}

function drawn(tag, attributes = {}, ...children) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.append(...children);
  return one;
}

function buttonOf(text, title, act) {
  const one = element("button", "", { type: "button", textContent: text, title, onclick: act });
  one.setAttribute("aria-label", title);
  return one;
}

const within = (value, low, high) => Math.min(Math.max(value, low), high);
const counted = (value) => value.toLocaleString("en");

// Three digits, with a sign where it is asked for.
function written(value, signed = false) {
  const size = Math.abs(value);
  const digits = size >= 100 || !size ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3;
  const text = size >= 1000 ? counted(Math.round(size)) : size.toFixed(digits);
  const none = !Number(text.replaceAll(",", ""));
  return `${none ? "" : value < 0 ? "−" : signed ? "+" : ""}${text}`;
}

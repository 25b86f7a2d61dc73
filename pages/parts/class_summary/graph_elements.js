// Elements of a drawing in SVG, and changing no more of them than is another: the rest need not be laid out again.

function made(tag, attributes = {}, ...children) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.append(...children);
  return one;
}

function change(one, name, value) {
  if (one.getAttribute(name) !== value) one.setAttribute(name, value);
}

// The same children in the same order stay as they are: an element that is put in anew loses the focus.
function adopt(parent, children) {
  const same = parent.children.length === children.length && children.every((one, i) => parent.children[i] === one);
  if (!same) parent.replaceChildren(...children);
}

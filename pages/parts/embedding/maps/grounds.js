// What maps are drawn on, light or dark as the page is.

const GROUNDS = {
  light: {
    page: "#ffffff", edge: "#ffffff", faint: "#dee2e7", ink: "#111111", blue: "#0072b2", border: "#d5d9de",
    halo: "rgba(255, 255, 255, 0.9)", lines: "rgba(17, 17, 17, 0.75)", box: "rgba(0, 0, 0, 0.13)",
    area: "rgba(0, 114, 178, 0.1)",
  },
  dark: {
    page: "#171614", edge: "#171614", faint: "#35332f", ink: "#ffffff", blue: "#56b4e9", border: "#4a4844",
    halo: "rgba(0, 0, 0, 0.8)", lines: "rgba(237, 235, 232, 0.8)", box: "rgba(255, 255, 255, 0.22)",
    area: "rgba(86, 180, 233, 0.18)",
  },
};
const LEAST_CONTRAST = 3; // of a point on the dark ground, as WCAG asks of graphics

const isDark = (root) => getComputedStyle(root).colorScheme.startsWith("dark");

// WCAG's relative luminance of a colour as the canvas stores it.
function luminance(colour) {
  const linear = (shift) => {
    const part = ((colour >> shift) & 255) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(0) + 0.7152 * linear(8) + 0.0722 * linear(16);
}

// A colour mixed with another one.
const mixed = (colour, other, share) => {
  const part = (shift) => Math.round(((colour >> shift) & 255) * (1 - share) + ((other >> shift) & 255) * share);
  return join(part(0), part(8), part(16));
};

// The colour itself where it is seen on the dark ground, or as much paler as it must be.
function lightened(colour) {
  const least = LEAST_CONTRAST * (luminance(packed(GROUNDS.dark.page)) + 0.05) - 0.05;
  let found = colour;
  for (let share = 0.05; luminance(found) < least; share += 0.05) found = mixed(colour, 0xffffffff, share);
  return found;
}

// A colour for CSS, on either ground.
const themed = (colour) => `light-dark(${colour}, ${css(lightened(packed(colour)))})`;

// What the map is drawn on, light or dark as the page is.

// A scale begins near the ground, so that what has little is faint on either; the middle of one with signs likewise.
const GROUNDS = {
  light: {
    page: "#ffffff", empty: "#e9edf1", ink: "#111111", accent: "#0072b2", rest: "#8a8a8a",
    ramp: ["#dbe4ec", "#8fb4d6", "#3f7fb5", "#0b4a80", "#062a4d"],
    signed: ["#053f7d", "#3f87c4", "#a9cce6", "#ececec", "#f2b08d", "#cf5246", "#8c0d25"],
  },
  dark: {
    page: "#171614", empty: "#2a2825", ink: "#ffffff", accent: "#56b4e9", rest: "#8a8a8a",
    ramp: ["#2b3138", "#35597a", "#4c86b8", "#84b8e6", "#d3e9ff"],
    signed: ["#a6d4ff", "#5b9fe0", "#335d86", "#34322e", "#8a4632", "#e2775a", "#ffc0a8"],
  },
};

const HALO = "#ffffff"; // around what lies on pictures

const isDark = (root) => {
  const scheme = getComputedStyle(root).colorScheme;
  return scheme.includes("light") && scheme.includes("dark") ? matchMedia("(prefers-color-scheme: dark)").matches : scheme.includes("dark");
};

const channels = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

// A scale's colour at a place from 0 to 1.
function shade(stops, place) {
  const at = within(place, 0, 1) * (stops.length - 1);
  const first = Math.min(Math.floor(at), stops.length - 2);
  const [before, after] = [channels(stops[first]), channels(stops[first + 1])];
  return `rgb(${before.map((one, i) => Math.round(one + (at - first) * (after[i] - one))).join(",")})`;
}

// The maps as one PNG, as they are seen, with titles, notes and legend.

function exported(maps) {
  const corner = maps.root.getBoundingClientRect();
  const within = (one) => {
    const place = one.getBoundingClientRect();
    return { left: place.left - corner.left, top: place.top - corner.top, width: place.width, height: place.height };
  };
  const above = maps.grid.getBoundingClientRect().top - corner.top;
  const legend = within(maps.legend.root);
  const [width, height, ratio] = [corner.width, legend.top + legend.height - above + 8, 2];
  const canvas = element("canvas", "", { width: width * ratio, height: height * ratio });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.fillStyle = maps.ground.page;
  context.fillRect(0, 0, width, height);
  context.translate(0, -above);
  const family = getComputedStyle(maps.root).fontFamily;
  for (const panel of maps.panels) {
    for (const part of [panel.title, panel.frameName, panel.note]) written(context, part, within(part), family);
    const { left, top } = within(panel.stage);
    context.drawImage(panel.base, left + 1, top + 1, panel.width, panel.height);
    context.drawImage(panel.over, left + 1, top + 1, panel.width, panel.height);
    context.strokeStyle = maps.ground.border;
    context.strokeRect(left + 0.5, top + 0.5, panel.width + 1, panel.height + 1);
  }
  for (const part of maps.legend.root.querySelectorAll(".about, .name, .number, .swatch, .ramp")) {
    const place = within(part);
    if (place.top < legend.top || place.top + place.height > legend.top + legend.height + 2) continue;
    if (part.matches(".swatch")) {
      context.fillStyle = getComputedStyle(part).backgroundColor;
      context.beginPath();
      context.arc(place.left + 5.5, place.top + 5.5, 5.5, 0, 2 * Math.PI);
      context.fill();
    } else if (part.matches(".ramp")) {
      const shades = context.createLinearGradient(place.left, 0, place.left + place.width, 0);
      const seen = maps.dark ? (one) => css(lightened(packed(one))) : (one) => one;
      maps.colouring.stops.forEach((one, i, all) => shades.addColorStop(i / (all.length - 1), seen(one)));
      context.fillStyle = shades;
      context.fillRect(place.left, place.top, place.width, place.height);
    } else {
      written(context, part, place, family);
    }
  }
  canvas.toBlob((blob) => {
    const link = element("a", "", { href: URL.createObjectURL(blob), download: "loupe-maps.png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}

// An element's text where it stands, broken into lines as wide as the element.
function written(context, part, { left, top, width, height }, family) {
  const style = getComputedStyle(part);
  const size = parseFloat(style.fontSize);
  context.font = `${style.fontWeight} ${size}px ${family}`;
  context.fillStyle = style.color;
  context.textBaseline = "middle";
  const step = Math.min(height, size * 1.45);
  let line = "";
  let y = top + step / 2;
  for (const word of part.textContent.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && context.measureText(longer).width > width + 1) {
      context.fillText(line, left, y);
      [line, y] = [word, y + step];
    } else {
      line = longer;
    }
  }
  context.fillText(line, left, y, width + 2);
}

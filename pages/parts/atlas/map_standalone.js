// A file of its own: what the page would send lies in it, and nobody hears what is chosen.

const { shown, parts: enclosed } = JSON.parse(document.getElementById("held").textContent);
enclosed.forEach((part, i) => parts.set(i, part));
const alone = new AtlasMap(document.body);
// The title stands above, the legend below; on a phone the page scrolls.
const heightOf = () => Math.max(320, innerHeight - alone.root.offsetHeight + alone.stage.offsetHeight - alone.root.offsetTop - 12);
alone.update(shown, () => {});
const fitted = () => { alone.stage.style.height = `${heightOf()}px`; };
fitted();
addEventListener("resize", fitted);

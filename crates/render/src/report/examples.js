// The browser of examples: images of one attribute, classifier and outcome, with the maps of all classifiers over them.
const examplesData = document.getElementById("examples-data");
if (examplesData) {
  const data = JSON.parse(examplesData.textContent);
  const section = document.getElementById("examples");
  const form = section.querySelector("form");
  const list = section.querySelector(".examples");
  const status = section.querySelector(".status");
  const OUTCOMES = ["true_positive", "false_negative", "false_positive", "true_negative"];
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const colours = bytes(data.colours);
  // As `readable` of text.rs.
  const readable = (name) => name.replaceAll("_o_Clock", " o'Clock").replaceAll("_", " ");
  const signed = (value) => (value < 0 || Object.is(value, -0) ? "\u2212" : "+") + Math.abs(value).toFixed(2);

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  // A map of the image's size from its cells, as cam::Resizer makes it: bilinear, then scaled to [0, 1].
  const enlarge = (cells) => {
    const { size, height, width } = data;
    const taps = (count) => Array.from({ length: size }, (_, pixel) => {
      const scale = count / size;
      const position = data.resize === "cell_centred" ? pixel * scale : (pixel + 0.5) * scale - 0.5;
      const inside = Math.min(Math.max(position, 0), count - 1);
      const first = Math.floor(inside);
      return [first, Math.min(first + 1, count - 1), inside - first];
    });
    const columns = taps(width);
    const map = new Float32Array(size * size);
    taps(height).forEach(([top, bottom, v], y) => {
      columns.forEach(([left, right, u], x) => {
        const row = (at) => cells[at * width + left] * (1 - u) + cells[at * width + right] * u;
        map[y * size + x] = row(top) * (1 - v) + row(bottom) * v;
      });
    });
    const least = map.reduce((a, b) => Math.min(a, b), Infinity);
    const range = map.reduce((a, b) => Math.max(a, b), -Infinity) - least;
    return map.map((value) => (range > 0 ? (value - least) / range : 0));
  };

  // Weak activations leave the face visible.
  const paint = (canvas, cells) => {
    canvas.width = canvas.height = data.size;
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(data.size, data.size);
    enlarge(cells).forEach((value, i) => {
      const colour = 3 * Math.round(255 * value);
      pixels.data.set([colours[colour], colours[colour + 1], colours[colour + 2], 255 * (0.2 + 0.8 * value)], 4 * i);
    });
    context.putImageData(pixels, 0, 0);
  };

  // The border between the cells inside the region and those outside.
  const outline = ({ side, cells }) => {
    const inside = (row, column) => row >= 0 && column >= 0 && row < side && column < side && cells[row * side + column] === "1";
    let path = "";
    for (let row = 0; row <= side; row++) {
      for (let column = 0; column <= side; column++) {
        if (inside(row, column) !== inside(row - 1, column)) path += `M${column} ${row}h1`;
        if (inside(row, column) !== inside(row, column - 1)) path += `M${column} ${row}v1`;
      }
    }
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
    svg.setAttribute("aria-hidden", "true");
    svg.innerHTML = `<path class="edge" d="${path}"/><path class="region" d="${path}"/>`;
    return svg;
  };

  const pane = (attribute, example, classifier) => {
    const [score, energy, map] = [example.scores[classifier], example.energies[classifier], example.maps[classifier]];
    const right = (score >= 0) === (example.label > 0);
    const face = element("div", { class: "face" }, element("img", { src: `data:image/jpeg;base64,${data.images[example.image].jpeg}`, alt: "" }));
    const inRegion = energy === null ? "a map without energy" : `energy ${energy.toFixed(2)}`;
    if (form.overlay.checked) {
      const name = data.classifiers[classifier];
      const canvas = element("canvas", { role: "img", "aria-label": `Map of ${name} over ${data.images[example.image].name}: ${inRegion} in the region of ${readable(attribute.name)}` });
      paint(canvas, bytes(map));
      face.append(canvas);
    }
    if (form.region.checked) face.append(outline(example.region ?? attribute.region));
    const verdict = element("span", right ? {} : { class: "wrong" }, right ? "\u2713 right" : "\u2717 wrong");
    return element("div", { class: "pane" }, face,
      element("p", {}, element("strong", {}, data.classifiers[classifier]), element("br"), `z ${signed(score)} `, verdict, element("br"), inRegion));
  };

  // The most telling outcome that there is an image of; as `opened` of browser.rs.
  const existing = (attribute, classifier) =>
    ["false_negative", "false_positive", "true_positive", "true_negative"].find((name) => attribute.groups[classifier][OUTCOMES.indexOf(name)].length > 0)
    ?? form.outcome.value;

  const show = () => {
    const attribute = data.attributes[form.attribute.selectedIndex];
    const classifier = Number(form.classifier.value);
    const outcome = OUTCOMES.indexOf(form.outcome.value);
    OUTCOMES.forEach((name, i) => { form.querySelector(`[data-count=${name}]`).textContent = attribute.counts[classifier][i]; });
    const chosen = attribute.groups[classifier][outcome].map((at) => attribute.examples[at]);
    const total = attribute.counts[classifier][outcome];
    const what = `${readable(OUTCOMES[outcome])}${total > 1 ? "s" : ""} of ${readable(attribute.name)} by the classifier ${data.classifiers[classifier]}`;
    const order = [classifier, ...data.classifiers.keys()].filter((one, at, all) => all.indexOf(one) === at);
    status.textContent = total === 0
      ? `This run has no ${what}.`
      : `${chosen.length} of ${total} ${what}: ${chosen.length === total ? "all there are" : `the first in an order of the test images drawn with seed ${data.seed}`}.`;
    list.classList.toggle("mapped", form.overlay.checked);
    list.replaceChildren(...chosen.map((example) => element("li", {}, element("figure", {},
      element("div", { class: "panes" }, ...order.map((one) => pane(attribute, example, one))),
      element("figcaption", {}, `${data.images[example.image].name}, labelled ${example.label > 0 ? "+" : "\u2212"}`)))));
  };
  const fade = () => {
    list.style.setProperty("--opacity", form.opacity.value / 100);
    form.querySelector("output").textContent = `${form.opacity.value} %`;
  };

  // `#examples/Bald/balanced/false_negative` is a link to a choice.
  const follow = () => {
    const [place, attribute, classifier, outcome] = decodeURIComponent(location.hash.slice(1)).split("/");
    if (place !== "examples" || !attribute) return;
    const at = data.attributes.findIndex(({ name }) => name === attribute);
    if (at >= 0) form.attribute.selectedIndex = at;
    if (data.classifiers.includes(classifier)) form.classifier.value = data.classifiers.indexOf(classifier);
    if (OUTCOMES.includes(outcome)) form.outcome.value = outcome;
    else form.outcome.value = existing(data.attributes[form.attribute.selectedIndex], Number(form.classifier.value));
    show();
    section.scrollIntoView();
  };
  form.addEventListener("input", (event) => { if (event.target === form.opacity) fade(); });
  form.addEventListener("change", (event) => {
    if (event.target === form.opacity) return;
    show();
    const state = [data.attributes[form.attribute.selectedIndex].name, data.classifiers[Number(form.classifier.value)], form.outcome.value];
    history.replaceState(null, "", `#examples/${state.map(encodeURIComponent).join("/")}`);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", follow);
  section.querySelector(".colours").style.background = `linear-gradient(to right, ${Array.from({ length: 16 }, (_, i) => `rgb(${colours.slice(51 * i, 51 * i + 3).join()})`).join()})`;
  list.style.setProperty("--classifiers", data.classifiers.length);
  fade();
  show();
  follow();
}

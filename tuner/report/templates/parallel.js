// Parallel coordinates: a line per trial over all axes, on a canvas, from positions of one byte each.
function startParallel(box) {
  const find = (name) => document.getElementById("parallel-" + name);
  const [canvas, count, axis, from, to] = ["canvas", "count", "axis", "from", "to"].map(find);
  const data = JSON.parse(find("data").textContent);
  const axes = data.axes;
  const bytes = Uint8Array.from(atob(data.positions), (c) => c.charCodeAt(0));
  const total = bytes.length / axes.length;
  const ranges = axes.map(() => null);
  const [top, bottom, left, right] = [36, 14, 10, 110];
  const up = (byte) => top + (height - top - bottom) * (1 - byte / 255);
  const paper = matchMedia("print");
  let [drawnWidth, height, isPrinting] = [0, 380, false];

  // Names are people's text: isolated, so that right-to-left text turns nothing around it.
  const isolated = (text) => "\u2068" + text + "\u2069";
  const title = (one) => (one.name.trim() ? one.name : "(empty name)");
  function bdi(text) {
    const element = document.createElement("bdi");
    element.textContent = text;
    return element;
  }
  const isNumeric = (one) => one.low !== undefined;

  // Where a narrowing may end: at every position of a number, at every category.
  function stopsOf(one) {
    if (!isNumeric(one)) return one.ticks.map(([place]) => Math.round(255 * place));
    const numbers = Array.from({ length: Math.round(255 * one.end) + 1 }, (_, byte) => byte);
    return one.end < 1 ? [...numbers, 255] : numbers;
  }
  function textAt(one, byte) {
    const place = byte / 255;
    if (!isNumeric(one) || byte > Math.round(255 * one.end)) {
      return one.ticks.reduce((a, b) => (Math.abs(b[0] - place) < Math.abs(a[0] - place) ? b : a))[1];
    }
    const share = Math.min(place / one.end, 1);
    const value = one.log ? one.low * (one.high / one.low) ** share : one.low + (one.high - one.low) * share;
    if (one.share) return Number((100 * value).toFixed(2)) + " %";
    return String(one.whole ? Math.round(value) : Number(value.toPrecision(3)));
  }

  // From the worst to the best, so that the best are drawn last.
  function selected() {
    const narrowed = ranges.flatMap((range, i) => (range ? [[i, ...range]] : []));
    const rows = [];
    for (let row = Number(count.value) - 1; row >= 0; row--) {
      const start = row * axes.length;
      if (narrowed.every(([i, low, high]) => bytes[start + i] >= low && bytes[start + i] <= high)) rows.push(row);
    }
    return rows;
  }

  const colour = (name) => getComputedStyle(canvas).getPropertyValue(name).trim();
  function mixed(a, b, share) {
    const [x, y] = [a, b].map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
    return `rgb(${x.map((part, i) => Math.round(part + (y[i] - part) * share)).join(" ")})`;
  }
  function clipped(context, text, room) {
    if (context.measureText(text).width <= room) return text;
    // The end stays: names of blocks differ in their numbers.
    const last = Array.from(text).slice(-2).join("");
    const letters = Array.from(text).slice(0, 60);
    while (letters.length > 1 && context.measureText(letters.join("") + "…" + last).width > room) letters.pop();
    return letters.join("") + "…" + last;
  }

  const isOnPaper = () => paper.matches || isPrinting;
  // Paper does not scroll: there, the axes are split over several pictures, each with the score.
  function parts() {
    const all = axes.map((_, i) => i);
    if (!isOnPaper()) return [all];
    const score = all.pop();
    const n = Math.ceil(all.length / 6), each = Math.ceil(all.length / n);
    return Array.from({ length: n }, (_, i) => [...all.slice(i * each, (i + 1) * each), score]);
  }
  function draw() {
    const rows = selected();
    drawnWidth = box.clientWidth;
    const shown = parts();
    height = isOnPaper() ? 300 : 380;
    while (canvas.nextSibling) canvas.nextSibling.remove();
    shown.forEach((part, number) => {
      const target = number ? canvas.cloneNode() : canvas;
      if (number) {
        target.removeAttribute("id");
        canvas.parentElement.append(target);
      }
      const room = isOnPaper() ? 700 : Math.max(canvas.parentElement.clientWidth, left + right + 92 * (part.length - 1));
      drawPart(target, part, rows, room);
    });
    find("status").textContent = `${rows.length.toLocaleString("en")} of ${total.toLocaleString("en")} trials shown.`;
  }
  function drawPart(target, part, rows, width) {
    const ratio = window.devicePixelRatio || 1;
    [target.width, target.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    [target.style.width, target.style.height] = [`${width}px`, `${height}px`];
    const context = target.getContext("2d");
    context.scale(ratio, ratio);
    const gap = (width - left - right) / Math.max(1, part.length - 1);
    const across = part.map((_, i) => left + gap * i);
    drawLines(context, rows, part, across);
    part.forEach((i, place) => drawAxis(context, axes[i], ranges[i], across[place], place < part.length - 1 ? gap : right));
  }
  function drawLines(context, rows, part, across) {
    const [worst, middle, best] = ["--worst", "--middle", "--best"].map(colour);
    const shades = Array.from({ length: 65 }, (_, i) => (i < 32 ? mixed(worst, middle, i / 32) : mixed(middle, best, i / 32 - 1)));
    const nStrong = Math.min(25, Math.ceil(rows.length / 20));
    const heights = Array.from({ length: 256 }, (_, byte) => up(byte));
    // Browsers draw lines of one device pixel many times faster than wider ones.
    const thin = rows.length > 100 ? 1 / (window.devicePixelRatio || 1) : 1;
    // The more lines, the fewer of them may be dark: they lie on top of each other.
    const bend = Math.max(1, Math.log10(rows.length));
    rows.forEach((row, place) => {
      const isStrong = place >= rows.length - nStrong;
      context.strokeStyle = shades[Math.round(64 * ((place + 1) / rows.length) ** bend)];
      context.lineWidth = isStrong ? 2.5 : thin;
      context.beginPath();
      part.forEach((i, place) => context.lineTo(across[place], heights[bytes[row * axes.length + i]]));
      context.stroke();
    });
  }
  function drawAxis(context, one, range, x, room) {
    const [ink, muted, ground] = ["--ink", "--muted", "--paper"].map(colour);
    const family = getComputedStyle(canvas).fontFamily;
    context.fillStyle = muted;
    context.fillRect(x - 0.5, up(255), 1, up(0) - up(255));
    context.fillStyle = ink;
    if (range) context.fillRect(x - 2.5, up(range[1]) - 2, 5, up(range[0]) - up(range[1]) + 4);
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.font = `600 12px ${family}`;
    context.fillText(isolated(clipped(context, title(one), room - 10)), x - 4, 14);
    context.font = `11px ${family}`;
    context.strokeStyle = ground;
    context.lineWidth = 3;
    const every = Math.ceil(one.ticks.length / 16);
    for (const [place, text] of one.ticks.filter((_, i) => i % every === 0)) {
      const shown = isolated(clipped(context, text, room - 14));
      context.strokeText(shown, x + 5, up(255 * place));
      context.fillText(shown, x + 5, up(255 * place));
    }
  }

  // The sliders show the chosen axis' range; `ranges` remembers those of the others.
  function showRange() {
    const one = axes[axis.value];
    const stops = stopsOf(one);
    const [low, high] = ranges[axis.value] ?? [stops[0], stops.at(-1)];
    for (const [slider, byte] of [[from, low], [to, high]]) {
      slider.max = stops.length - 1;
      slider.value = stops.indexOf(byte);
      slider.setAttribute("aria-valuetext", textAt(one, byte));
    }
    find("range").replaceChildren(bdi(title(one)), " from ", bdi(textAt(one, low)), " to ", bdi(textAt(one, high)));
  }
  function narrow(moved) {
    if (Number(from.value) > Number(to.value)) (moved === from ? to : from).value = moved.value;
    const stops = stopsOf(axes[axis.value]);
    const isWhole = from.value === "0" && Number(to.value) === stops.length - 1;
    ranges[axis.value] = isWhole ? null : [stops[from.value], stops[to.value]];
    showRange();
    draw();
  }
  function reset() {
    ranges.fill(null);
    for (const select of [count, axis]) select.value = [...select.options].find((o) => o.defaultSelected)?.value ?? "0";
    showRange();
    draw();
  }

  axes.forEach((one, i) => axis.append(new Option(isolated(title(one)), i)));
  count.addEventListener("change", draw);
  axis.addEventListener("change", showRange);
  for (const slider of [from, to]) slider.addEventListener("input", () => narrow(slider));
  find("reset").addEventListener("click", reset);
  for (const media of [matchMedia("(prefers-color-scheme: dark)"), paper]) media.addEventListener("change", draw);
  for (const [event, value] of [["beforeprint", true], ["afterprint", false]]) {
    addEventListener(event, () => {
      isPrinting = value;
      draw();
    });
  }
  find("missing").hidden = true;
  find("parts").hidden = false;
  showRange();
  draw();
  new ResizeObserver(() => { if (box.clientWidth !== drawnWidth) draw(); }).observe(box);
}
for (const box of document.querySelectorAll("#parallel")) startParallel(box);

"""What the canvas of the parallel coordinates shows, by its pixels, and how fast it responds."""

# Share of pixels with something on them, a number that tells pictures apart, and the contrasts
# (WCAG 2) to the page's ground that the strongest hundredth of pixels have, of the names above the
# axes and of the lines between them.
DRAWN = """() => {
    const canvas = document.getElementById("parallel-canvas"), ratio = devicePixelRatio;
    const { data, width, height } =
        canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const ground = getComputedStyle(document.body).backgroundColor
        .match(/[\\d.]+/g).slice(0, 3).map(Number);
    const linear = (c) =>
        (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    const light = (rgb) =>
        rgb.map(linear).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0.05);
    const contrast = (rgb) =>
        Math.max(light(rgb), light(ground)) / Math.min(light(rgb), light(ground));
    let [ink, hash] = [0, 0];
    const [names, lines] = [[], []];
    for (let i = 0; i < data.length; i += 4) {
        const alpha = data[i + 3] / 255;
        if (!alpha) continue;
        ink += 1;
        hash = (hash * 31 + data[i] + 3 * data[i + 1] + 7 * data[i + 2] + data[i + 3]) % 1000000007;
        const seen = [0, 1, 2].map((k) => data[i + k] * alpha + ground[k] * (1 - alpha));
        (Math.floor(i / 4 / width) < 26 * ratio ? names : lines).push(contrast(seen));
    }
    const strongest = (all) => all.sort((a, b) => b - a)[Math.floor(all.length / 100)] ?? 0;
    return { share: ink / width / height, hash, names: strongest(names), lines: strongest(lines) };
}"""

# Milliseconds from a control's event, after it was set to its last value or a third of its range,
# to the next picture.
CHANGED = """(control) => new Promise((done) => {
    const isSelect = control.localName === "select";
    control.value = isSelect ? control.options[control.options.length - 1].value : control.max / 3;
    const start = performance.now();
    control.dispatchEvent(new Event(isSelect ? "change" : "input", { bubbles: true }));
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""

# Milliseconds from the start of the navigation to the second picture after the page has been read.
READY = """() => new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"""

"use strict";
// Bars of a result, and results on the page.
const MOST_BARS = 10, MOST_RESULTS = 12, MOST_IN_TITLE = 4, MOST_NAMED = 20;
const at = (id) => document.getElementById(id);
let token = "", facts = null, stream = null;

function made(kind, words = "", name = "") {
  const one = document.createElement(kind);
  one.textContent = words;
  if (name) one.className = name;
  return one;
}
// Names come from folders and files, in any direction of writing.
function isolated(words) {
  return made("bdi", words || "(no name)");
}
function between(names, words) {
  return names.flatMap((name, place) => (place ? [words, isolated(name)] : [isolated(name)]));
}
function tell(words) {
  at("status").textContent = words;
}

async function ask(path, options = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  const answer = await response.json();
  if (response.status === 401) at("entry").hidden = false;
  if (!response.ok) throw new Error(`${answer.error.message}; ${answer.error.fix}`);
  return answer;
}

async function showModel() {
  try {
    facts = await ask("/model");
  } catch (error) {
    tell(at("entry").hidden ? `The service does not answer: ${error.message}` : "");
    return false;
  }
  at("entry").hidden = true;
  at("model").replaceChildren(" · ", isolated(facts.title));
  const { classes, image: { height, width, channels } } = facts, n = classes.length;
  at("title").replaceChildren(...(n > MOST_IN_TITLE ? [`One of ${n} classes`] : [...between(classes, " or "), "?"]));
  const named = n > MOST_IN_TITLE && n <= MOST_NAMED ? ["Classes: ", ...between(classes, ", "), ". "] : [];
  at("about").replaceChildren(...named, `The model sees ${width} × ${height} pixels in ${channels === 1 ? "grey" : "colour"}. `
    + `Probabilities are ${facts.calibrated ? "calibrated" : "as the model gives them"}. Pictures go to this service only.`);
  return true;
}

function bars(shares) {
  const table = made("table", "", "bars");
  table.setAttribute("aria-label", "Probabilities");
  const body = table.createTBody();
  shares.slice(0, MOST_BARS).forEach(([name, share], place) => {
    const row = body.insertRow();
    row.className = place ? "" : "best";
    const head = made("th");
    head.scope = "row";
    head.append(isolated(name));
    const track = made("span", "", "track"), fill = made("span", "", "fill");
    fill.style.width = `${(100 * share).toFixed(2)}%`;
    track.append(fill);
    const cell = made("td");
    cell.append(track);
    row.append(head, cell, made("td", `${(100 * share).toFixed(1)} %`, "num"));
  });
  return table;
}

function picture(source, words, onLoad) {
  const figure = made("figure"), image = made("img");
  image.alt = words;
  image.addEventListener("load", () => onLoad?.(image, figure));
  // A browser does not show every kind that the service reads.
  image.addEventListener("error", () => {
    const box = figure.parentElement;
    figure.remove();
    if (box && !box.children.length) box.remove();
  });
  image.src = source;
  figure.append(image, made("figcaption", words));
  return figure;
}

function looks(file, found) {
  const box = made("div", "", "looks"), address = URL.createObjectURL(file);
  let heat = null, shape = "";
  box.append(picture(address, "Your picture", (image, figure) => {
    URL.revokeObjectURL(address);
    shape = `${image.naturalWidth} / ${image.naturalHeight}`;
    if (Math.max(image.naturalWidth, image.naturalHeight) < 128) figure.classList.add("small-one");
    if (heat) heat.style.aspectRatio = shape;
  }));
  if (found.saliency) {
    const figure = picture(found.saliency, "Where the class is sensitive");
    heat = figure.querySelector("img");
    // The model sees a stretched picture; this brings its map back over yours.
    if (shape) heat.style.aspectRatio = shape;
    box.append(figure);
  }
  return box;
}

function show(file, found, name, error) {
  const item = made("li", "", error ? "result failed" : "result"), words = made("div"), heading = made("h3");
  const shares = error ? [] : Object.entries(found.probabilities).sort((a, b) => b[1] - a[1]);
  heading.append(error ? "No prediction" : isolated(found.class));
  const line = made("p", "", "name");
  line.append(isolated(name));
  words.append(heading, line);
  if (error) words.append(made("p", error, "alert"));
  else {
    words.append(bars(shares));
    const more = shares.length - MOST_BARS;
    if (more > 0) words.append(made("p", `${more} more ${more === 1 ? "class is" : "classes are"} less probable.`, "small"));
    if (found.note) words.append(made("p", found.note, "small"));
  }
  item.append(looks(file, found ?? {}), words);
  const results = at("results");
  results.prepend(item);
  while (results.children.length > MOST_RESULTS) results.lastElementChild.remove();
  return error ? `${name}: no prediction` : `${name}: ${found.class}, ${(100 * shares[0][1]).toFixed(1)} %`;
}

async function predict(file, name = file.name) {
  if (!facts && !(await showModel())) return;
  tell(`Predicting ${name} …`);
  try {
    const form = new FormData();
    form.append("image", file, name);
    const answer = await ask("/predict?saliency=1", { method: "POST", body: form });
    tell(show(file, answer.predictions[0], name));
  } catch (error) {
    tell(show(file, null, name, error.message));
  }
}
async function predictAll(files) {
  for (const file of files) await predict(file);
}

at("files").addEventListener("change", async (event) => {
  await predictAll(Array.from(event.target.files));
  // Else the same file could not be chosen again.
  event.target.value = "";
});
const drop = at("drop");
for (const kind of ["dragenter", "dragover"]) addEventListener(kind, (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
for (const kind of ["dragleave", "drop"]) addEventListener(kind, (event) => {
  event.preventDefault();
  if (kind === "drop" || !event.relatedTarget) drop.classList.remove("over");
});
addEventListener("drop", (event) => predictAll(Array.from(event.dataTransfer?.files ?? [])));
addEventListener("paste", (event) => predictAll(Array.from(event.clipboardData?.files ?? [])));

function cameraOn(isOn) {
  at("video").hidden = at("shot").hidden = at("stop").hidden = !isOn;
  at("start").hidden = isOn;
}
at("start").addEventListener("click", async () => {
  if (!navigator.mediaDevices) {
    at("camera").textContent = "Browsers give pages a webcam over https and on this machine only.";
    return;
  }
  at("start").disabled = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    at("video").srcObject = stream;
    // Before its first frame the video has no size, and a picture of it would be empty.
    await at("video").play();
    cameraOn(true);
    at("shot").focus();
  } catch (error) {
    at("camera").textContent = `There is no webcam to use: ${error.message}`;
  } finally {
    at("start").disabled = false;
  }
});
at("shot").addEventListener("click", () => {
  const video = at("video"), canvas = made("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => blob && predict(blob, "webcam.png"), "image/png");
});
at("stop").addEventListener("click", () => {
  for (const track of stream.getTracks()) track.stop();
  at("video").srcObject = stream = null;
  cameraOn(false);
  at("start").focus();
});
at("entry").addEventListener("submit", async (event) => {
  event.preventDefault();
  token = at("token").value.trim();
  at("wrong").textContent = (await showModel()) ? "" : "The service refuses this token.";
});
showModel();

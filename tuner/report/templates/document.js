"use strict";
// The page is complete without this script: it adds sorting to tables and copying to code.
// A number as cells write it: 1,234, 82.0 %, ± 0.3, [79.0, 84.7], −1.5 points [−3.0, +0.1].
const NUMBER = /^[[±<+ ]*([−-]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?)(?:[ \u00a0](?:%|ms|points))?(?:[,\]]? .*)?$/;
function sortBy(table, column, button) {
  const body = table.tBodies[0];
  const rising = button.dataset.order !== "rising";
  const key = (row) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    const number = NUMBER.exec(text);
    return number ? Number(number[1].replaceAll(",", "").replace("−", "-")) : text;
  };
  const rows = Array.from(body.rows, (row, position) => ({ row, position, key: key(row) }));
  const missing = (k) => k === "" || k === "–";
  rows.sort((a, b) => {
    if (missing(a.key) || missing(b.key)) return missing(a.key) - missing(b.key) || a.position - b.position;
    const order = typeof a.key === "number" && typeof b.key === "number"
      ? a.key - b.key : String(a.key).localeCompare(String(b.key), "en", { numeric: true });
    return (rising ? order : -order) || a.position - b.position;
  });
  for (const other of table.tHead.querySelectorAll("th")) {
    other.removeAttribute("aria-sort");
    delete other.querySelector("button").dataset.order;
  }
  button.dataset.order = rising ? "rising" : "falling";
  button.closest("th").setAttribute("aria-sort", rising ? "ascending" : "descending");
  body.append(...rows.map((r) => r.row));
}
for (const table of document.querySelectorAll("table.sortable")) {
  Array.from(table.tHead.rows[0].cells).forEach((cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...cell.childNodes);
    button.addEventListener("click", () => sortBy(table, column, button));
    cell.append(button);
  });
}
for (const block of document.querySelectorAll("pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy: " + document.getElementById(block.getAttribute("aria-labelledby")).textContent);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(block);
      button.textContent = "Selected";
    }
  });
  block.before(button);
}
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});

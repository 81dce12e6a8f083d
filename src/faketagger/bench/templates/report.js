"use strict";
/* Pictures: enlarge, compare, go through a strip. */
(() => {
  const dialog = document.getElementById("zoom");
  const title = document.getElementById("zoom-title");
  const panes = dialog.querySelector(".panes");
  let strip = [], place = 0;

  const pane = (src, words) => {
    if (!src) return;
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    const image = document.createElement("img");
    image.src = src;
    image.alt = words;
    button.append(image, words);
    button.addEventListener("click", () => {
      const alone = button.getAttribute("aria-pressed") !== "true";
      panes.querySelectorAll("button").forEach(other => other.setAttribute("aria-pressed", "false"));
      button.setAttribute("aria-pressed", String(alone));
      panes.classList.toggle("alone", alone);
    });
    panes.append(button);
  };
  const show = () => {
    const image = strip[place];
    panes.replaceChildren();
    panes.classList.remove("alone");
    title.textContent = image.alt;
    if (place < 3) strip.slice(0, 3).forEach(one => pane(one.src, one.alt));
    else {
      pane(strip[1].src, "tagged");
      pane(image.src, "attacked");
      pane(image.dataset.change, "change × 10");
      pane(image.dataset.face, "face view");
    }
  };
  const step = by => {
    place = (place + by + strip.length) % strip.length;
    show();
  };
  document.querySelectorAll(".zoomable").forEach(button => button.addEventListener("click", () => {
    strip = [...button.closest(".strip").querySelectorAll("img")];
    place = strip.indexOf(button.firstElementChild);
    show();
    dialog.showModal();
  }));
  dialog.querySelectorAll("[data-step]").forEach(button =>
    button.addEventListener("click", () => step(Number(button.dataset.step))));
  dialog.addEventListener("keydown", event => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { event.preventDefault(); step(by); }
  });
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });
})();

/* The table of every read: filter and sort an index, draw one page of it. */
(() => {
  const PAGE = 50;
  const data = JSON.parse(document.getElementById("reads-data").textContent);
  const { columns, texts } = data;
  columns.share = columns.matched.map((right, row) => right / columns.bits[row]);
  const section = document.getElementById("reads");
  const form = section.querySelector("form");
  const table = section.querySelector("table");
  const pager = section.querySelector(".pager");
  const status = pager.querySelector("[role=status]");
  const [back, forth] = pager.querySelectorAll("button");
  let rows = [], order = { column: "", up: true }, page = 0;

  const chosen = () => {
    const wanted = [...form.querySelectorAll("select")].filter(one => one.value !== "");
    const word = form.elements.text.value.trim().toLowerCase();
    const named = ["picture", "person"].map(name => texts[name].map(text => text.toLowerCase().includes(word)));
    const kept = [];
    for (let row = 0; row < data.rows; row++) {
      if (!wanted.every(one => columns[one.name][row] === Number(one.value))) continue;
      if (named[0][columns.picture[row]] || named[1][columns.person[row]]) kept.push(row);
    }
    return kept;
  };
  const sort = () => {
    if (!order.column) return;
    const values = columns[order.column], sign = order.up ? 1 : -1;
    rows.sort((a, b) => {
      const one = values[a], other = values[b];
      if (one === null || other === null) return (one === null) - (other === null) || a - b;
      return sign * (one - other) || a - b;
    });
  };
  const number = value => value === null ? "–" : value >= 0.001 || value === 0 ? String(value) : value.toExponential(1);
  const cells = row => [
    ...["picture", "person", "attack", "view", "kind", "state", "result"].map(name => texts[name][columns[name][row]]),
    `${(100 * columns.share[row]).toFixed(1)} % (${columns.matched[row]}/${columns.bits[row]})`,
    number(columns.p[row]),
    columns.attack_db[row] === null ? "–" : columns.attack_db[row].toFixed(1),
  ];
  const tone = row => {
    const found = { "payload read": "good", found: "weak" }[texts.result[columns.result[row]]];
    if (texts.kind[columns.kind[row]] === "tagged") return found || "lost";
    return found ? "lost" : "plain";
  };
  const draw = () => {
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const lines = rows.slice(page * PAGE, (page + 1) * PAGE).map(row => {
      const line = document.createElement("tr");
      cells(row).forEach((text, place) => {
        const cell = document.createElement("td");
        cell.textContent = text;
        if (place > 6) cell.className = "n";
        line.append(cell);
      });
      line.children[6].dataset.tone = tone(row);
      return line;
    });
    table.tBodies[0].replaceChildren(...lines);
    const first = rows.length ? page * PAGE + 1 : 0;
    status.textContent = `${first}–${Math.min(rows.length, (page + 1) * PAGE)} of ${rows.length}`;
    back.disabled = page === 0;
    forth.disabled = page === pages - 1;
  };
  const refresh = () => { rows = chosen(); sort(); page = 0; draw(); };

  table.querySelectorAll("[data-column]").forEach(button => button.addEventListener("click", () => {
    const column = button.dataset.column;
    order = { column, up: order.column === column ? !order.up : true };
    table.querySelectorAll("th").forEach(head => head.removeAttribute("aria-sort"));
    button.parentElement.setAttribute("aria-sort", order.up ? "ascending" : "descending");
    refresh();
  }));
  form.addEventListener("input", refresh);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(refresh));
  back.addEventListener("click", () => { page--; draw(); });
  forth.addEventListener("click", () => { page++; draw(); });
  form.hidden = table.hidden = pager.hidden = false;
  refresh();
})();

// Views, search, keys, and the address: `#levels=0,4&op=0.7` and `#step=12`.

let view = "";

function showView(name) {
  view = name;
  for (const one of ["levels", "rewrites"]) {
    byId(one).hidden = one !== name;
    byId(`tab-${one}`).setAttribute("aria-selected", String(one === name));
    byId(`tab-${one}`).tabIndex = one === name ? 0 : -1;
  }
  byId("search-form").hidden = name !== "levels";
}

function openRewrites() {
  if (DATA.steps.length) showStep(rewrites.at);
  else { showView("rewrites"); byId("rule").replaceChildren(make("p", {}, "No pass has changed anything.")); }
}

function openLevels() {
  showView("levels");
  setColumns(levels.columns.length ? levels.columns : firstColumns());
}

const firstColumns = () => (LEVELS.length > 1 ? [0, Math.min(LEVELS.length - 1, DATA.start || LEVELS.length - 1)] : [0]);

// --- address ---------------------------------------------------------------------------------------------------------

function writeHash() {
  let hash = `#levels=${levels.columns.join(",")}`;
  if (levels.pinned) hash += `&op=${levels.pinned.join(".")}`;
  if (view === "rewrites") hash = `#step=${rewrites.at + 1}`;
  if (hash !== location.hash) history.replaceState(null, "", hash);
}

function readHash() {
  const given = new URLSearchParams(location.hash.slice(1));
  const step = Number.parseInt(given.get("step"), 10);
  if (step >= 1 && DATA.steps.length) return showStep(step - 1);
  const columns = (given.get("levels") || "").split(",").map((text) => Number.parseInt(text, 10)).filter((level) => level >= 0 && level < LEVELS.length);
  const [level, op] = (given.get("op") || "").split(".").map((text) => Number.parseInt(text, 10));
  levels.columns = columns.length ? columns.slice(0, 4) : firstColumns();
  levels.pinned = null;
  openLevels();
  if (LEVELS[level] && LEVELS[level].ops[op] >= 0) {
    if (!levels.columns.includes(level)) setColumns([level, ...levels.columns].slice(0, maxColumns()));
    pin(level, op);
    reveal(level, op);
  }
}

// --- search ----------------------------------------------------------------------------------------------------------

const search = { text: "", found: [], at: -1 };

function find(text, direction) {
  if (text !== search.text) Object.assign(search, { text, found: matches(text.trim().toLowerCase()), at: direction > 0 ? -1 : 0 });
  const count = search.found.length;
  search.at = count ? (search.at + direction + count) % count : -1;
  byId("search-count").textContent = text.trim() ? (count ? `${search.at + 1} of ${count}` : "none") : "";
  if (!count) return;
  const [level, op] = search.found[search.at];
  levels.pinned = null;
  pin(level, op);
  reveal(level, op);
}

// The ops of the shown levels whose line has the text.
function matches(text) {
  if (!text) return [];
  return levels.columns.flatMap((level) => LEVELS[level].ops.map((line, op) => [level, op, line])
    .filter(([, , line]) => line >= 0 && lineText(level, line).toLowerCase().includes(text))
    .sort((a, b) => a[2] - b[2]).map(([one, op]) => [one, op]));
}

// --- keys ------------------------------------------------------------------------------------------------------------

function key(event) {
  const typing = ["INPUT", "SELECT"].includes(event.target.tagName) && event.target.id !== "slider";
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") { unpin(); document.activeElement.blur(); }
  else if (typing || event.defaultPrevented) return;
  else if (event.key === "/") { event.preventDefault(); openLevels(); byId("search").focus(); }
  else if (event.key === "l") openLevels();
  else if (event.key === "r") openRewrites();
  else if (event.target.getAttribute("role") === "tab" && ["ArrowLeft", "ArrowRight"].includes(event.key)) switchTab();
  else if (view === "rewrites") stepKey(event);
}

function switchTab() {
  if (view === "levels") openRewrites(); else openLevels();
  byId(`tab-${view}`).focus();
}

function stepKey(event) {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
  const inList = event.target.closest(".difference");
  if (!by || (inList && ["ArrowUp", "ArrowDown", "PageUp", "PageDown"].includes(event.key))) return;
  event.preventDefault();
  const place = rewrites.order.indexOf(rewrites.at);
  moveStep(Math.max(-place, Math.min(rewrites.order.length - 1 - place, by)));
}

// --- start -----------------------------------------------------------------------------------------------------------

function start() {
  document.title = `${DATA.title} · tir explore`;
  byId("title").replaceChildren(make("b", {}, DATA.title), make("code", {}, DATA.command));
  byId("step-total").textContent = DATA.steps.length ? DATA.steps.length.toLocaleString("en") : "";
  const messages = [...(DATA.error ? [make("p", { class: "error" }, DATA.error)] : []), ...DATA.notes.map((note) => make("p", {}, note))];
  byId("messages").replaceChildren(...messages);
  byId("messages").hidden = !messages.length;
  drawPipeline();
  drawFilter();
  setFilter("");
  byId("tab-levels").addEventListener("click", openLevels);
  byId("tab-rewrites").addEventListener("click", openRewrites);
  byId("previous-step").addEventListener("click", () => moveStep(-1));
  byId("next-step").addEventListener("click", () => moveStep(1));
  byId("slider").addEventListener("input", () => showStep(rewrites.order[Number(byId("slider").value)]));
  byId("search-form").addEventListener("submit", (event) => { event.preventDefault(); find(byId("search").value, 1); });
  byId("search").addEventListener("input", () => find(byId("search").value, 1));
  byId("search").addEventListener("keydown", (event) => { if (event.key === "Enter" && event.shiftKey) { event.preventDefault(); find(byId("search").value, -1); } });
  byId("theme").addEventListener("click", switchTheme);
  addEventListener("keydown", key);
  addEventListener("hashchange", readHash);
  readHash();
  document.body.classList.add("ready");
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

start();

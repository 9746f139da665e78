// The view "Levels": the program at several levels side by side.

const levels = {
  columns: [], // the levels shown, in order
  bodies: new Map(), // level -> its lines as an element, made once
  active: null, // [level, op] under the mouse or the keyboard
  pinned: null, // [level, op] that stays lit
  lit: [],
};

const STORY_OPS = 5; // shown for each level in the story of an op
const CHAIN_ROWS = 60; // of the rules that made it
const levelNumber = (level) => make("span", { class: "n" }, `${level} `);
const maxColumns = () => (window.innerWidth >= 1500 ? 4 : window.innerWidth >= 1200 ? 3 : 2);

// --- pipeline --------------------------------------------------------------------------------------------------------

function drawPipeline() {
  const list = byId("pipeline");
  list.append(pipelineLevel(0, null));
  let quiet = [];
  const flush = () => { if (quiet.length) list.append(quietRuns(quiet)); quiet = []; };
  DATA.runs.forEach((run, number) => {
    if (!run.changed) return quiet.push(run);
    flush();
    // Only the last of several runs that lead to one level has the text: the others are beyond the page's limit.
    if (RUN_OF[run.level] === number) list.append(pipelineLevel(run.level, number));
  });
  flush();
}

function pipelineLevel(level, number) {
  const run = number === null ? null : DATA.runs[number];
  const change = level > 0 ? opCount(level) - opCount(level - 1) : 0;
  const facts = [plural(opCount(level), "op")];
  const delta = change ? make("span", { class: change > 0 ? "more" : "fewer" }, ` ${change > 0 ? "+" : "−"}${Math.abs(change)}`) : "";
  const button = make("button", {
    type: "button", class: "level", "aria-pressed": "false", data: { level }, title: run ? run.about : "The program as it was given",
    onclick: () => toggleLevel(level),
  }, make("b", {}, levelNumber(level), LEVELS[level].title), run && run.where ? make("span", { class: "where" }, run.where) : "",
  make("small", {}, ...facts, delta));
  const item = make("li", {}, button);
  if (run && run.steps) {
    const label = `Rewrites of ${run.title}`;
    const open = () => showStep(run.first, String(number));
    item.append(make("button", { type: "button", class: "steps", "aria-label": label, title: label, onclick: open }, plural(run.steps, "rewrite")));
  }
  return item;
}

function quietRuns(runs) {
  const names = runs.map((run) => run.title + (run.where ? ` ${run.where}` : ""));
  const shown = names.slice(0, 4).join(", ") + (names.length > 4 ? ` and ${names.length - 4} more` : "");
  return make("li", { class: "quiet", title: names.join(", ") }, `${shown}: no change`);
}

// --- columns ---------------------------------------------------------------------------------------------------------

function toggleLevel(level) {
  const shown = levels.columns.includes(level);
  if (shown && levels.columns.length === 1) return;
  const columns = shown ? levels.columns.filter((one) => one !== level) : [...levels.columns, level];
  while (columns.length > maxColumns()) columns.shift();
  setColumns(columns);
}

// Shows `level` instead of the one in that column.
function replaceColumn(old, level) {
  if (level < 0 || level >= LEVELS.length) return;
  setColumns(levels.columns.includes(level) ? levels.columns.filter((one) => one !== old) : levels.columns.map((one) => (one === old ? level : one)));
}

function setColumns(columns) {
  levels.columns = [...new Set(columns)].sort((a, b) => a - b);
  const kept = new Map([...levels.bodies].map(([level, body]) => [level, body.scrollTop]));
  byId("columns").replaceChildren(...levels.columns.map(column));
  for (const level of levels.columns) levels.bodies.get(level).scrollTop = kept.get(level) || 0;
  for (const button of document.querySelectorAll("#pipeline .level")) {
    button.setAttribute("aria-pressed", String(levels.columns.includes(Number(button.dataset.level))));
  }
  light(...(levels.pinned || [null, null]));
  if (levels.pinned) followAll();
  writeHash();
}

function column(level) {
  if (!levels.bodies.has(level)) levels.bodies.set(level, columnBody(level));
  const button = (text, label, action, disabled) => make("button", { type: "button", class: "plain", "aria-label": label, title: label, onclick: action, disabled }, text);
  const run = RUN_OF[level] >= 0 ? DATA.runs[RUN_OF[level]] : null;
  const head = make("header", {},
    button("‹", "Level before", () => replaceColumn(level, level - 1), level === 0),
    make("h3", { title: run ? run.about : "" }, levelNumber(level), LEVELS[level].title, run && run.where ? make("small", {}, ` ${run.where}`) : ""),
    make("span", { class: "count", data: { count: level } }),
    button("›", "Level behind", () => replaceColumn(level, level + 1), level === LEVELS.length - 1),
    button("×", "Close", () => toggleLevel(level), levels.columns.length === 1));
  return make("section", { class: "column", "aria-label": levelName(level) }, head, levels.bodies.get(level), make("div", { class: "ruler", "aria-hidden": "true", data: { ruler: level } }));
}

function columnBody(level) {
  const body = make("div", { class: "code", role: "listbox", tabindex: "0", "aria-label": `Program at level ${levelName(level)}`, data: { level } }, levelLines(level));
  const opOf = (event) => { const line = event.target.closest(".op"); return line ? Number(line.dataset.op) : null; };
  body.addEventListener("pointerover", (event) => { const op = opOf(event); if (op !== null && event.pointerType === "mouse" && !levels.pinned) hover(level, op); });
  body.addEventListener("pointerleave", () => { if (!levels.pinned) light(null, null); });
  body.addEventListener("click", (event) => { const op = opOf(event); if (op !== null && !getSelection().toString()) pin(level, op); });
  body.addEventListener("keydown", (event) => moveInColumn(event, level));
  return body;
}

function moveInColumn(event, level) {
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -1e9, End: 1e9 }[event.key];
  const [at, op] = levels.active || [];
  if (event.key === "Enter" || event.key === " ") {
    if (at === level) { event.preventDefault(); pin(level, op); }
  } else if (step !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    const ops = OP_AT[level].filter((one) => one >= 0);
    const from = at === level ? ops.indexOf(op) : step > 0 ? -1 : ops.length;
    const target = ops[Math.max(0, Math.min(ops.length - 1, from + step))];
    if (levels.pinned) unpin();
    hover(level, target);
    reveal(level, target, "nearest");
    event.currentTarget.setAttribute("aria-activedescendant", `op-${level}-${target}`);
  }
}

// --- light -----------------------------------------------------------------------------------------------------------

let followTimer = 0;

function hover(level, op) {
  light(level, op);
  clearTimeout(followTimer);
  followTimer = setTimeout(followAll, 220);
}

function light(level, op) {
  clearTimeout(followTimer);
  for (const element of levels.lit) { element.classList.remove("self", "from", "became"); element.setAttribute("aria-selected", "false"); }
  levels.lit = [];
  levels.active = level === null ? null : [level, op];
  document.querySelectorAll(".ruler").forEach((ruler) => ruler.replaceChildren());
  document.querySelectorAll("[data-count]").forEach((one) => one.replaceChildren());
  const roles = level === null ? null : family(level, op);
  byId("columns").classList.toggle("dimmed", Boolean(roles && levels.pinned));
  byId("status").textContent = roles ? sentence(level, op, roles) : "Point at an op, or walk with the arrow keys: what it came from and what it became lights up. A click holds it.";
  if (roles) levels.columns.forEach((one) => lightColumn(one, roles[one]));
}

function lightColumn(level, roles) {
  const body = levels.bodies.get(level);
  const ruler = document.querySelector(`[data-ruler="${level}"]`);
  let count = 0;
  for (const [op, role] of roles) {
    const line = LEVELS[level].ops[op];
    if (line < 0) continue;
    const element = lineElement(body, line);
    element.classList.add(role);
    element.setAttribute("aria-selected", "true");
    levels.lit.push(element);
    if (++count <= 200) {
      const tick = make("i", { class: role });
      tick.style.top = `${(100 * line) / LEVELS[level].lines.length}%`;
      ruler.append(tick);
    }
  }
  document.querySelector(`[data-count="${level}"]`).textContent = count ? `${count} lit` : "";
}

const lineElement = (body, line) => body.firstElementChild.children[Math.floor(line / CHUNK)].children[line % CHUNK];

// Brings the first lit line of each other column into sight, if none is.
function followAll() {
  for (const level of levels.columns) {
    if (levels.active && level === levels.active[0]) continue;
    const body = levels.bodies.get(level);
    const frame = body.getBoundingClientRect();
    const lit = levels.lit.filter((element) => body.contains(element));
    const seen = lit.some((element) => { const box = element.getBoundingClientRect(); return box.top >= frame.top && box.bottom <= frame.bottom; });
    if (lit.length && !seen) scrollTo(body, lit[0], "center");
  }
}

function scrollTo(body, element, block) {
  const [frame, box] = [body.getBoundingClientRect(), element.getBoundingClientRect()];
  if (block === "nearest" && box.top >= frame.top && box.bottom <= frame.bottom) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches || Math.abs(box.top - frame.top) > 4000;
  body.scrollTo({ top: body.scrollTop + box.top - frame.top - frame.height / 3, behavior: calm ? "auto" : "smooth" });
}

function reveal(level, op, block = "center") {
  const body = levels.bodies.get(level);
  const line = LEVELS[level].ops[op];
  if (body && line >= 0) scrollTo(body, lineElement(body, line), block);
}

// --- pin -------------------------------------------------------------------------------------------------------------

function pin(level, op) {
  const same = levels.pinned && levels.pinned[0] === level && levels.pinned[1] === op;
  if (same) return unpin();
  levels.pinned = [level, op];
  light(level, op);
  drawStory(level, op);
  followAll();
  writeHash();
}

function unpin() {
  levels.pinned = null;
  byId("story").hidden = true;
  light(null, null);
  writeHash();
}

// The life of an op, level by level, with the rewrites that met it.
function drawStory(level, op) {
  const roles = family(level, op);
  const close = make("button", { type: "button", class: "plain", "aria-label": "Close", onclick: unpin }, "×");
  const list = make("ol");
  let earlier = "";
  roles.forEach((ops, at) => {
    const shown = [...ops].filter(([one]) => LEVELS[at].ops[one] >= 0);
    const key = shown.map(([one]) => opText(at, one)).join("\n");
    if (shown.length && (key !== earlier || at === level)) list.append(storyLevel(at, shown));
    earlier = key;
    const steps = stepsOn(at, ops);
    if (steps.length) list.append(storySteps(steps));
  });
  byId("story").replaceChildren(make("header", {}, make("h2", {}, "Its way through the levels"), close), list, ...madeBy(level, op));
  byId("story").hidden = false;
}

// The chain of rules and passes that made the op, each op above those that it was made of.
function madeBy(level, op) {
  const first = LEVELS[level].made[op];
  if (first < 0) return [];
  const rows = [];
  const told = new Set();
  const pending = [[first, 0]];
  while (pending.length && rows.length < CHAIN_ROWS) {
    const [number, depth] = pending.pop();
    const made = DATA.made[number];
    const row = (kind, ...parts) => {
      const element = make("div", { class: kind }, ...parts);
      element.style.paddingLeft = `${Math.min(depth, 20) * 18 + (kind === "by" ? 18 : 0)}px`;
      rows.push(element);
    };
    row("made", ...highlighted(DATA.lines[made.text]), made.place && !made.by ? make("small", {}, ` ${made.place}`) : "");
    if (told.has(number) || !made.by) continue;
    told.add(number);
    const rule = made.rule >= 0 ? DATA.rules[made.rule] : null;
    row("by", `by ${made.by}`, rule ? make("code", {}, ` ${rule.before} → ${rule.after}`) : "", rule ? make("small", {}, ` ${rule.class}`) : "");
    for (const source of [...made.of].reverse()) pending.push([source, depth + 1]);
  }
  if (pending.length) rows.push(make("p", { class: "cut" }, "and more"));
  return [make("section", { class: "chain", "aria-label": "The rules that made it" }, make("h3", {}, "Made by"), ...rows)];
}

function storyLevel(level, shown) {
  const lines = shown.slice(0, STORY_OPS).map(([op, role]) => make("button", {
    type: "button", class: `line ${role}`, onclick: () => goTo(level, op),
  }, ...highlighted(opText(level, op))));
  if (shown.length > STORY_OPS) lines.push(make("p", { class: "cut" }, `and ${shown.length - STORY_OPS} more`));
  return make("li", {}, make("h3", {}, levelNumber(level), LEVELS[level].title, make("small", {}, ` ${plural(shown.length, "op")}`)), ...lines);
}

function stepsOn(level, ops) {
  const found = [];
  DATA.runs.forEach((run) => {
    if (run.before !== level) return;
    for (let i = run.first; i < run.first + run.steps; i++) if (DATA.steps[i].op >= 0 && ops.has(DATA.steps[i].op)) found.push(i);
  });
  return found;
}

function storySteps(steps) {
  const links = steps.slice(0, 6).map((i) => make("a", { href: `#step=${i + 1}`, class: "chip" }, `#${i + 1} ${stepName(DATA.steps[i])}`));
  return make("li", { class: "between" }, ...links, steps.length > 6 ? `and ${steps.length - 6} more rewrites` : "");
}

function goTo(level, op) {
  if (!levels.columns.includes(level)) {
    const others = levels.columns.filter((one) => !levels.pinned || one !== levels.pinned[0]);
    replaceColumn(others.length ? others[others.length - 1] : levels.columns[0], level);
  }
  reveal(level, op);
}

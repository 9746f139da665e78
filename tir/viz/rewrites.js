// The view "Rewrites": one rewrite after the other, with the text before and after.

const CONTEXT = 4; // unchanged lines around a change
const rewrites = { order: [], at: 0, filter: "" };

const CLASSES = {
  exact: "the same bits, nan, infinities and -0.0 included",
  accurate: "other bits, and an error that is not larger",
  fast: "only where a fast-math flag allows it",
};

// --- list ------------------------------------------------------------------------------------------------------------

function drawFilter() {
  const options = [make("option", { value: "" }, `All ${plural(DATA.steps.length, "rewrite")}`)];
  const rules = DATA.steps.filter((step) => step.rule >= 0).length;
  if (rules && rules < DATA.steps.length) options.push(make("option", { value: "rules" }, `Rules only: ${rules.toLocaleString("en")}`));
  DATA.runs.forEach((run, number) => {
    if (run.steps) options.push(make("option", { value: String(number) }, `${number + 1}. ${run.title} ${run.where}: ${run.steps}`));
  });
  byId("filter").append(...options);
  byId("filter").addEventListener("change", () => { setFilter(byId("filter").value); drawStep(rewrites.order[0]); writeHash(); });
}

function setFilter(filter) {
  rewrites.filter = filter;
  byId("filter").value = filter;
  rewrites.order = DATA.steps.map((_, i) => i).filter((i) => {
    if (filter === "") return true;
    return filter === "rules" ? DATA.steps[i].rule >= 0 : DATA.steps[i].run === Number(filter);
  });
  drawStepList();
}

function drawStepList() {
  const list = byId("step-list");
  list.replaceChildren();
  let run = -1;
  for (const i of rewrites.order) {
    const step = DATA.steps[i];
    if (step.run !== run) {
      run = step.run;
      list.append(make("h3", {}, DATA.runs[run].title, make("small", {}, ` ${DATA.runs[run].where}`)));
    }
    const rule = stepRule(step);
    list.append(make("button", {
      type: "button", class: `step ${rule ? rule.class : ""}`, data: { step: i }, onclick: () => showStep(i),
    }, make("span", { class: "n" }, String(i + 1)), make("b", {}, stepName(step)), make("small", {}, step.opName || DATA.chains[step.chain].function)));
  }
}

// --- one step --------------------------------------------------------------------------------------------------------

function showStep(number, filter = rewrites.filter) {
  const wanted = Math.max(0, Math.min(DATA.steps.length - 1, number));
  if (filter !== rewrites.filter || !rewrites.order.length) setFilter(filter);
  if (!rewrites.order.includes(wanted)) setFilter("");
  showView("rewrites");
  drawStep(wanted);
  writeHash();
}

function moveStep(by) {
  const place = rewrites.order.indexOf(rewrites.at) + by;
  if (place >= 0 && place < rewrites.order.length) showStep(rewrites.order[place]);
}

function drawStep(number) {
  if (number === undefined) return;
  rewrites.at = number;
  const place = rewrites.order.indexOf(number);
  const slider = byId("slider");
  slider.max = rewrites.order.length - 1;
  slider.value = place;
  slider.setAttribute("aria-valuetext", `${place + 1} of ${rewrites.order.length}: ${stepName(DATA.steps[number])}`);
  byId("step-number").textContent = `${(place + 1).toLocaleString("en")} / ${rewrites.order.length.toLocaleString("en")}`;
  byId("previous-step").disabled = place === 0;
  byId("next-step").disabled = place === rewrites.order.length - 1;
  for (const old of document.querySelectorAll(".step[aria-current]")) old.removeAttribute("aria-current");
  const entry = document.querySelector(`.step[data-step="${number}"]`);
  if (entry) { entry.setAttribute("aria-current", "step"); entry.scrollIntoView({ block: "nearest" }); }
  drawRule(DATA.steps[number], number);
  drawDifference(DATA.steps[number], number);
}

function drawRule(step, number) {
  const rule = stepRule(step);
  const run = DATA.runs[step.run];
  const facts = [`pass ${run.title}`, DATA.chains[step.chain].function, step.place].filter(Boolean).join(" · ");
  const parts = [make("header", {}, make("span", { class: "n" }, `#${number + 1}`), make("h2", {}, stepName(step)),
    rule ? make("span", { class: `badge ${rule.class}`, title: CLASSES[rule.class] }, rule.class) : "",
    step.op >= 0 ? make("button", { type: "button", onclick: () => showInLevels(step) }, "Show in levels") : "")];
  if (rule) {
    parts.push(make("p", { class: "sentence" }, make("code", {}, rule.before), make("span", { class: "arrow", "aria-label": "becomes" }, " → "), make("code", {}, rule.after)));
    parts.push(make("p", { class: "why" }, `${rule.class}: ${CLASSES[rule.class]}${rule.why ? `; ${rule.why}` : ""}`));
  } else {
    if (step.opName) parts.push(make("p", { class: "sentence" }, make("code", {}, step.opName)));
    parts.push(make("p", { class: "why" }, ...prose(run.about)));
  }
  parts.push(make("p", { class: "facts" }, facts));
  byId("rule").replaceChildren(...parts);
}

function showInLevels(step) {
  const run = DATA.runs[step.run];
  showView("levels");
  levels.pinned = null;
  setColumns(run.changed ? [run.before, run.level] : [run.before]);
  pin(run.before, step.op);
  reveal(run.before, step.op);
}

// --- difference ------------------------------------------------------------------------------------------------------

function drawDifference(step, number) {
  const box = byId("difference");
  if (!step.changes) return box.replaceChildren(make("p", { class: "cut" }, "The text of this rewrite is not shown: see the notes of the page."));
  if (!step.changes.length) return box.replaceChildren(make("p", { class: "cut" }, "The text of the function is the same before and after."));
  const [before, after] = stepTexts(number);
  const rows = differenceRows(before, after, step.changes);
  const head = make("div", { class: "row head" }, make("div", { class: "cell" }, "before"), make("div", { class: "cell" }, "after"));
  box.replaceChildren(head, ...folded(rows));
  const first = box.querySelector(".changed");
  if (first) box.scrollTop = Math.max(0, first.offsetTop - box.offsetTop - box.clientHeight / 3);
}

// Rows of [line before, line after]; a changed line stands beside the one that took its place.
function differenceRows(before, after, changes) {
  const rows = [];
  let [i, j] = [0, 0];
  const same = (end) => { for (; i < end; i++, j++) rows.push({ i, j, before: DATA.lines[before[i]], after: DATA.lines[after[j]], changed: false }); };
  for (const [at, removed, added] of changes) {
    same(at);
    for (const [k, m] of pairs(before.slice(i, i + removed), added)) {
      rows.push({ i: i + k, j: j + m, changed: true, before: k < 0 ? null : DATA.lines[before[i + k]], after: m < 0 ? null : DATA.lines[added[m]] });
    }
    i += removed;
    j += added.length;
  }
  same(before.length);
  return rows;
}

// Pairs of places in two lists of lines: lines that define the same value, or begin alike, stand side by side; -1 is none.
function pairs(removed, added) {
  const keys = (lines) => lines.map((line) => DATA.lines[line].trim().split(/ = |[ (]/)[0]);
  const [a, b] = [keys(removed), keys(added)];
  const result = [];
  let m = 0;
  a.forEach((key, k) => {
    const found = b.indexOf(key, m);
    if (found < 0) return result.push([k, -1]);
    for (; m < found; m++) result.push([-1, m]);
    result.push([k, m++]);
  });
  for (; m < b.length; m++) result.push([-1, m]);
  return result.some(([k, other]) => k >= 0 && other >= 0) ? result : a.length === b.length ? a.map((_, k) => [k, k]) : result;
}

// The rows near a change as elements, and a button in place of the others.
function folded(rows) {
  const near = new Array(rows.length).fill(false);
  rows.forEach((row, at) => {
    if (row.changed) for (let k = Math.max(0, at - CONTEXT); k <= Math.min(rows.length - 1, at + CONTEXT); k++) near[k] = true;
  });
  const elements = [];
  for (let start = 0; start < rows.length;) {
    let end = start;
    while (end < rows.length && near[end] === near[start]) end++;
    if (near[start] || end - start <= 3) elements.push(...rows.slice(start, end).map(rowElement));
    else elements.push(fold(rows.slice(start, end)));
    start = end;
  }
  return elements;
}

function fold(rows) {
  return make("button", {
    type: "button", class: "fold", onclick: (event) => event.currentTarget.replaceWith(...rows.map(rowElement)),
  }, `⋯ ${plural(rows.length, "line")} the same`);
}

function rowElement({ i, j, before, after, changed }) {
  const ranges = changed && before !== null && after !== null ? changedRanges(before, after) : [null, null];
  const cell = (text, line, range, kind) => {
    if (text === null) return make("div", { class: "cell none" });
    const element = make("div", { class: `cell ${changed ? kind : ""}`, data: { number: line + 1 } }, ...highlighted(text, range));
    element.style.setProperty("--indent", `${text.length - text.trimStart().length + 2}ch`);
    return element;
  };
  return make("div", { class: changed ? "row changed" : "row" }, cell(before, i, ranges[0], "removed"), cell(after, j, ranges[1], "added"));
}

"use strict";

// The data of the page, and the questions that the views ask it. Nothing here touches the page, but for `make`, which
// builds elements: text from the program becomes text nodes and never markup.

const DATA = JSON.parse(document.getElementById("data").textContent);
const LEVELS = DATA.levels;
const byId = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

const lineText = (level, line) => DATA.lines[LEVELS[level].lines[line]];
const opText = (level, op) => lineText(level, LEVELS[level].ops[op]).trim();
const opCount = (level) => LEVELS[level].ops.length - 1; // without the module itself
const levelName = (level) => `${level} ${LEVELS[level].title}`; // titles repeat: a pass may run twice
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

// into[level][op]: the ops of the next level that come from the op; of: line -> the op that begins there.
const INTO = LEVELS.map((level) => level.ops.map(() => []));
const OP_AT = LEVELS.map((level) => {
  const found = new Array(level.lines.length).fill(-1);
  level.ops.forEach((line, op) => { if (line >= 0) found[line] = op; });
  return found;
});
LEVELS.forEach((level, number) => {
  level.from.forEach((sources, op) => sources.forEach((source) => INTO[number - 1][source].push(op)));
});

// The pass in front of each level, as its number in `runs`; the levels that several hidden passes made have the last.
const RUN_OF = LEVELS.map((_, level) => DATA.runs.findLastIndex((run) => run.changed && run.level === level));

// All that an op comes from and became: a list of {level, op, role}, and by level and op its role.
function family(level, op) {
  const roles = LEVELS.map(() => new Map());
  roles[level].set(op, "self");
  for (let at = level; at > 0; at--) {
    for (const one of roles[at].keys()) for (const source of LEVELS[at].from[one] || []) roles[at - 1].set(source, "from");
  }
  for (let at = level; at + 1 < LEVELS.length; at++) {
    for (const one of roles[at].keys()) for (const next of INTO[at][one]) roles[at + 1].set(next, "became");
  }
  return roles;
}

// A sentence about an op, for people who hear the page and for the line at its foot.
function sentence(level, op, roles) {
  const text = opText(level, op);
  const parts = [text.length > 70 ? `${text.slice(0, 67)}...` : text];
  const first = roles.findIndex((ops) => ops.size);
  const last = roles.findLastIndex((ops) => ops.size);
  if (first < level) parts.push(`comes from ${plural(roles[0].size || roles[first].size, "op")} at ‘${levelName(first)}’`);
  else if (level > 0) parts.push(`is new here, by ‘${levelName(level)}’`);
  if (last > level) parts.push(`is ${plural(roles[last].size, "op")} at ‘${levelName(last)}’`);
  if (last + 1 < LEVELS.length) parts.push(`is gone behind ‘${levelName(last + 1)}’`);
  return parts.join(" · ");
}

// --- steps ---------------------------------------------------------------------------------------------------------

// The text of the step's function before and behind it, as numbers of lines.
function stepTexts(number) {
  const step = DATA.steps[number];
  let text = DATA.chains[step.chain].base;
  for (let i = DATA.runs[step.run].first; i < number; i++) {
    if (DATA.steps[i].chain === step.chain && DATA.steps[i].changes) text = applied(text, DATA.steps[i].changes);
  }
  return [text, applied(text, step.changes)];
}

function applied(text, changes) {
  const result = [];
  let at = 0;
  for (const [start, removed, added] of changes) {
    for (; at < start; at++) result.push(text[at]);
    for (const line of added) result.push(line);
    at = start + removed;
  }
  for (; at < text.length; at++) result.push(text[at]);
  return result;
}

const stepName = (step) => step.name || "the rest at once";
const stepRule = (step) => (step.rule >= 0 ? DATA.rules[step.rule] : null);

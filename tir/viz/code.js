// Lines of a program as elements.

const TOKEN = new RegExp([
  /(?<comment>\/\/.*)/, /(?<arrow>->)/, /(?<string>"(?:[^"\\]|\\.)*")/, /(?<value>%[\w$.-]+(?:#\d+)?)/, /(?<symbol>@(?:"(?:[^"\\]|\\.)*"|[\w$.-]+))/,
  /(?<block>\^\w+)/, /(?<type>\b(?:tensor|memref|vector)<(?:[^<>]|<[^<>]*>)*>|\b(?:b?f(?:16|32|64)|u?i\d+|index)\b)/,
  /(?<op>\b[a-z_]\w*(?:\.[a-z_]\w*)+)/, /(?<number>-?\b(?:0x[0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\b)/,
  /(?<word>\b(?:module|return|dense|affine_map|true|false|loc)\b)/,
].map((part) => part.source).join("|"), "g");

// The text of a line with its tokens coloured. `marked` is a range of characters that changed.
function highlighted(text, marked = null) {
  const parts = [];
  let at = 0;
  const plain = (end) => { if (end > at) parts.push([null, text.slice(at, end)]); at = end; };
  for (const match of text.matchAll(TOKEN)) {
    plain(match.index);
    const [kind] = Object.entries(match.groups).find(([, found]) => found !== undefined);
    parts.push([kind, match[0]]);
    at = match.index + match[0].length;
  }
  plain(text.length);
  return marked ? markedParts(parts, marked) : parts.map(tokenElement);
}

const tokenElement = ([kind, text]) => (kind ? make("span", { class: `t-${kind}` }, text) : text);

function markedParts(parts, [start, end]) {
  const result = [];
  const mark = make("mark");
  let at = 0;
  for (const [kind, text] of parts) {
    const [a, b] = [Math.max(start - at, 0), Math.min(end - at, text.length)];
    const pieces = a < b ? [[text.slice(0, a), false], [text.slice(a, b), true], [text.slice(b), false]] : [[text, false]];
    for (const [piece, inside] of pieces) {
      if (!piece) continue;
      if (inside && !mark.isConnected && !result.includes(mark)) result.push(mark);
      (inside ? mark : { append: (one) => result.push(one) }).append(tokenElement([kind, piece]));
    }
    at += text.length;
  }
  return result;
}

// The characters of two lines that differ: a range for each, whole tokens.
function changedRanges(before, after) {
  const [a, b] = [before, after].map((text) => text.match(/[\w$.%@^-]+|\s+|./g) || []);
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const length = (tokens) => tokens.join("").length;
  return [a, b].map((tokens) => [length(tokens.slice(0, start)), length(tokens.slice(0, tokens.length - end))]);
}

// A sentence of a docstring, with what stands between backquotes as code.
const prose = (text) => text.split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part)).filter(Boolean);

const CHUNK = 80; // lines that the browser lays out together, when they come into view

// The lines of a level: one element each, `data-op` on those that begin an op.
function levelLines(level) {
  const body = make("div", { class: "lines" });
  const { lines, hidden } = LEVELS[level];
  for (let start = 0; start < lines.length; start += CHUNK) {
    const chunk = make("div", { class: "chunk", role: "presentation" });
    for (let line = start; line < Math.min(start + CHUNK, lines.length); line++) chunk.append(levelLine(level, line));
    body.append(chunk);
  }
  if (hidden) body.append(make("p", { class: "cut" }, `${plural(hidden, "more line")} not shown`));
  return body;
}

function levelLine(level, line) {
  const op = OP_AT[level][line];
  const properties = { class: op >= 0 ? "line op" : "line", role: "presentation", data: { number: line + 1 } };
  if (op >= 0) {
    Object.assign(properties, { id: `op-${level}-${op}`, role: "option", "aria-selected": "false" });
    properties.data.op = op;
  }
  const text = lineText(level, line);
  const indent = text.length - text.trimStart().length;
  const element = make("div", properties, ...highlighted(text));
  element.style.setProperty("--indent", `${indent + 2}ch`);
  return element;
}

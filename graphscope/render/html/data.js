'use strict';
// The document of the page, and each altitude as arrays. Items (groups and boxes) stand in depth-first order, so that a group is a
// range: what lies in it is (group, end[group]). Each text of the file stands once in `texts`; columns hold its number.
const byId = id => document.getElementById(id);
const escaped = text => String(text).replace(/[&<>"']/g, c => '&#' + c.charCodeAt(0) + ';');
const number = n => n.toLocaleString('en');
const cut = (text, most) => text.length > most ? text.slice(0, most / 2) + '…' + text.slice(-most / 2 + 1) : text;
const tail = name => name.slice(name.lastIndexOf('/') + 1);
let doc, view;
const textOf = i => doc.texts[i];

async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return JSON.parse(await new Response(stream).text());
}

function prepare(v) {
  const n = v.n = v.depth.length, path = [];
  v.up = new Int32Array(n).fill(-1); v.end = new Int32Array(n).fill(n); v.first = new Int32Array(n + 1);
  for (let i = 0; i < n; i++) {
    const d = v.depth[i];
    for (let j = d; j < path.length; j++) v.end[path[j]] = i;
    path.length = d;
    if (d) v.up[i] = path[d - 1];
    path.push(i); v.first[i + 1] = v.first[i] + v.rows[i];
  }
  connect(v, n);
  const rows = v.first[n], w = v.weights.row;
  v.itemOf = new Int32Array(rows); v.weightAt = new Int32Array(rows + 1).fill(w.length);
  for (let i = 0; i < n; i++) for (let r = v.first[i]; r < v.first[i + 1]; r++) v.itemOf[r] = i;
  for (let j = w.length - 1; j >= 0; j--) v.weightAt[w[j]] = j;
  for (let r = rows - 1; r >= 0; r--) v.weightAt[r] = Math.min(v.weightAt[r], v.weightAt[r + 1]);
  v.at = new Int32Array(n).fill(-1); v.inner = new Map(); v.laid = new Map(); v.sizes = new Map(); v.open = new Set([0]); v.ready = true;
}

function connect(v, n) { // edges as steps of their sources -> for each item what it feeds and what it reads
  const count = v.edges.length / 2, source = new Int32Array(count), target = new Int32Array(count);
  v.outAt = new Int32Array(n + 2); v.inAt = new Int32Array(n + 2); v.out = new Int32Array(count); v.in = new Int32Array(count);
  for (let e = 0, s = 0; e < count; e++) {
    source[e] = s += v.edges[2 * e]; target[e] = v.edges[2 * e + 1];
    v.outAt[source[e] + 2]++; v.inAt[target[e] + 2]++;
  }
  for (let i = 2; i < n + 2; i++) { v.outAt[i] += v.outAt[i - 1]; v.inAt[i] += v.inAt[i - 1]; }
  for (let e = 0; e < count; e++) { v.out[v.outAt[source[e] + 1]++] = target[e]; v.in[v.inAt[target[e] + 1]++] = source[e]; }
}

const isGroup = i => view.end[i] > i + 1;
const isScope = i => !view.rows[i];
function children(g) {
  const items = [];
  for (let c = g + 1; c < view.end[g]; c = view.end[c]) items.push(c);
  return items;
}
const rowsOf = i => { const rows = []; for (let r = view.first[i]; r < view.first[i + 1]; r++) rows.push(r); return rows; };
function* unitsIn(v, g) { // the boxes in a group, not what lies inside these
  for (let u = v.rows[g] ? g : g + 1; u < v.end[g]; u = v.rows[u] ? v.end[u] : u + 1) if (v.rows[u]) yield u;
}
const labelOf = i => view.rows[i] ? rowsOf(i).map(r => textOf(view.nodes.op[r])).join(', ') + ' ' + textOf(view.nodes.name[view.first[i]]) : textOf(view.label[i]);
function shortLabel(i) {
  const name = textOf(view.label[i]), outer = view.up[i] >= 0 ? textOf(view.label[view.up[i]]) + '/' : '';
  return outer.length > 1 && name.startsWith(outer) ? name.slice(outer.length) : name;
}
function moreOf(v, r) { return v.nodes.more[r] ? JSON.parse(textOf(v.nodes.more[r])) : {}; }

function within(g) { // the edges between a group's items, and which of these are joined to the outside
  if (view.inner.has(g)) return view.inner.get(g);
  const items = children(g), count = items.length, at = view.at, pairs = new Map(), ins = new Set(), outs = new Set();
  items.forEach((c, i) => at.fill(i, c, view.end[c]));
  for (let i = g + 1; i < view.end[g]; i++) {
    const s = at[i];
    for (let e = view.outAt[i]; e < view.outAt[i + 1]; e++) {
      const t = at[view.out[e]];
      if (t < 0) outs.add(s); else if (t !== s) pairs.set(s * count + t, (pairs.get(s * count + t) || 0) + 1);
    }
    for (let e = view.inAt[i]; e < view.inAt[i + 1]; e++) if (at[view.in[e]] < 0) ins.add(s);
  }
  at.fill(-1, g, view.end[g]);
  const inner = { items, ins, outs, edges: [...pairs].map(([p, c]) => [Math.floor(p / count), p % count, c]) };
  view.inner.set(g, inner);
  return inner;
}

function reach(v, starts, back, mark = new Uint8Array(v.n)) { // what the items depend on, or what depends on them
  const at = back ? v.inAt : v.outAt, to = back ? v.in : v.out, stack = [...starts];
  while (stack.length) {
    const u = stack.pop();
    if (mark[u]) continue;
    mark[u] = 1;
    for (let e = at[u]; e < at[u + 1]; e++) stack.push(to[e]);
  }
  return mark;
}
function rangeOf(i) { const all = []; for (let j = i; j < view.end[i]; j++) all.push(j); return all; }
function between(a, b) { // the items on any way from a to b, else from b to a; null where there is no way
  for (const [s, t] of [[a, b], [b, a]]) {
    const down = reach(view, rangeOf(s), false), up = reach(view, rangeOf(t), true);
    if (!rangeOf(t).some(j => down[j])) continue;
    return down.map((on, j) => on & up[j]);
  }
  return null;
}

function placeOf(v, name) { // the item where a node, a variable or a member stands; -1 where it stands nowhere
  if (!v.places) {
    const put = (text, item) => { if (text && !v.places.has(text)) v.places.set(text, item); }, w = v.weights;
    v.places = new Map();
    v.nodes.name.forEach((t, r) => put(textOf(t), v.itemOf[r]));
    w.row.forEach((r, j) => { put(textOf(w.name[j]), v.itemOf[r]); put(textOf(w.via[j]), v.itemOf[r]); });
    v.nodes.name.forEach((t, r) => (moreOf(v, r).m || []).forEach(m => put(m, v.itemOf[r])));
  }
  return v.places.get(name) ?? -1;
}

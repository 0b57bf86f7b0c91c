// Layout: only what is open, bottom-up, each group once until something in it is folded or unfolded.
const PAD = 14, HEAD = 28, GAP = 22, LINE = 22;
const FONT = 'px system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif';
const pen = document.createElement('canvas').getContext('2d'), widths = new Map();
function widthOf(text, font) {
  const key = font + text;
  if (!widths.has(key)) { pen.font = font + FONT; widths.set(key, pen.measureText(text).width); }
  return widths.get(key);
}

function isotonic(wanted, weight, gap) { // the places nearest to the wanted ones that keep the gaps: pool adjacent violators
  const value = [], mass = [], count = [], offset = [];
  let sum = 0;
  for (let i = 0; i < wanted.length; i++) {
    offset.push(sum += i ? gap[i] : 0);
    value.push(wanted[i] - sum); mass.push(weight[i]); count.push(1);
    while (value.length > 1 && value[value.length - 2] > value[value.length - 1]) {
      const v = value.pop(), m = mass.pop(), c = count.pop(), j = value.length - 1;
      value[j] = (value[j] * mass[j] + v * m) / (mass[j] + m); mass[j] += m; count[j] += c;
    }
  }
  return value.flatMap((v, i) => Array(count[i]).fill(v)).map((v, i) => v + offset[i]);
}

function markBackEdges(n, edges) { // depth first from the sources; returns the nodes in topological order of the other edges
  const out = Array.from({ length: n }, () => []), state = new Uint8Array(n), order = [], fed = new Uint8Array(n);
  edges.forEach(e => { out[e[0]].push(e); fed[e[1]] = 1; });
  const visit = root => {
    const stack = [[root, 0]];
    state[root] = 1;
    while (stack.length) {
      const frame = stack[stack.length - 1], e = out[frame[0]][frame[1]++];
      if (!e) { state[frame[0]] = 2; order.push(frame[0]); stack.pop(); }
      else if (state[e[1]] === 1) e.back = true;
      else if (!state[e[1]]) { state[e[1]] = 1; stack.push([e[1], 0]); }
    }
  };
  for (let i = 0; i < n; i++) if (!fed[i]) visit(i);
  for (let i = 0; i < n; i++) if (!state[i]) visit(i);
  return order.reverse();
}

function ranked(n, edges) { // longest paths; sources stand right above the first that reads them
  const order = markBackEdges(n, edges), rank = new Array(n).fill(0);
  const next = Array.from({ length: n }, () => []), previous = new Uint32Array(n);
  const ends = e => e.back ? [e[1], e[0]] : [e[0], e[1]];
  edges.forEach(e => { const [s, t] = ends(e); next[s].push(t); previous[t]++; });
  const left = previous.slice(), queue = order.filter(i => !left[i]);
  for (let q = 0; q < queue.length; q++) for (const t of next[queue[q]]) {
    rank[t] = Math.max(rank[t], rank[queue[q]] + 1);
    if (!--left[t]) queue.push(t);
  }
  for (const u of queue.reverse()) if (next[u].length && !previous[u]) rank[u] = Math.min(...next[u].map(t => rank[t])) - 1;
  return { rank, ends };
}

const ABREAST = 6;
function gathered(count, sizes, lines) { // more boxes than that which only feed one box, or only read one, stand in a grid with one line
  const outs = new Uint32Array(sizes.length), ins = new Uint32Array(sizes.length), alike = new Map();
  lines.forEach(([s, t]) => { outs[s]++; ins[t]++; });
  const put = (key, u) => { if (u < count) alike.has(key) ? alike.get(key).push(u) : alike.set(key, [u]); };
  lines.forEach(([s, t]) => { if (!ins[s] && outs[s] === 1) put('to ' + t, s); else if (!outs[t] && ins[t] === 1) put('from ' + s, t); });
  const grids = [...alike.values()].filter(all => all.length > ABREAST).map(all => gridOf(all, sizes));
  if (!grids.length) return layered(sizes, lines);
  const home = new Map(grids.flatMap(g => g.members.map(u => [u, g]))), kept = sizes.map((_, u) => u).filter(u => !home.has(u));
  const number = new Map([...kept, ...grids].map((each, i) => [each, i])), merged = new Map();
  for (const [s, t, c] of lines) {
    const a = number.get(home.get(s) || s), b = number.get(home.get(t) || t), key = a + ' ' + b;
    const one = merged.get(key) || merged.set(key, Object.assign([a, b, 0], { from: [], to: [] })).get(key);
    one[2] += c; one.from.push(s); one.to.push(t);
  }
  const edges = [...merged.values()], whole = layered([...kept.map(u => sizes[u]), ...grids.map(g => [g.w, g.h, 0, 0])], edges), at = [];
  kept.forEach((u, i) => at[u] = whole.at[i]);
  grids.forEach((g, i) => g.members.forEach((u, j) => { const [x, y] = whole.at[kept.length + i]; at[u] = [x + g.at[j][0], y + g.at[j][1]]; }));
  return { ...whole, at, lines: whole.lines.map((l, i) => ({ ...l, s: [...new Set(edges[i].from)], t: [...new Set(edges[i].to)] })) };
}
function gridOf(members, sizes) {
  const rows = Math.ceil(members.length / ABREAST), length = Math.ceil(members.length / rows), at = [];
  let w = 0, y = 0;
  for (let r = 0; r < rows; r++) {
    const row = members.slice(r * length, (r + 1) * length);
    let x = 0;
    row.forEach(u => { at.push([x, y]); x += sizes[u][0] + 10; });
    w = Math.max(w, x - 10); y += Math.max(...row.map(u => sizes[u][1])) + 10;
  }
  return { members, at, w, h: y - 10 };
}

function ordered(rows, up, down, count) { // barycentres, the order with the fewest crossings wins
  const place = new Float64Array(count), put = row => row.forEach((u, i) => place[u] = i);
  rows.forEach(put);
  const crossings = () => {
    let sum = 0;
    for (const row of rows) {
      const lines = row.flatMap(u => down[u].map(t => [place[u], place[t]]));
      if (lines.length > 250) continue;
      for (let a = 0; a < lines.length; a++) for (let b = 0; b < a; b++) if ((lines[a][0] - lines[b][0]) * (lines[a][1] - lines[b][1]) < 0) sum++;
    }
    return sum;
  };
  let best = rows.map(r => r.slice()), least = crossings();
  for (let round = 0; round < 10 && least; round++) {
    const near = round % 2 ? down : up;
    for (let j = 0; j < rows.length; j++) {
      const row = rows[round % 2 ? rows.length - 1 - j : j];
      const middle = new Map(row.map(u => [u, near[u].length ? near[u].reduce((sum, x) => sum + place[x], 0) / near[u].length : place[u]]));
      row.sort((a, b) => middle.get(a) - middle.get(b)); put(row);
    }
    const now = crossings();
    if (now < least) { least = now; best = rows.map(r => r.slice()); }
  }
  return best;
}

function layered(sizes, edges) { // sizes: width, height, offset of the upper and of the lower port from the centre
  const n = sizes.length, { rank, ends } = ranked(n, edges), W = sizes.map(s => s[0]), H = sizes.map(s => s[1]), level = rank.slice();
  const up = sizes.map(() => []), down = sizes.map(() => []), join = (a, b) => { down[a].push(b); up[b].push(a); };
  edges.forEach(e => { // an edge over several ranks passes through a dummy in each
    const [s, t] = ends(e);
    let last = s;
    e.via = [];
    for (let r = rank[s] + 1; r < rank[t]; r++) {
      const dummy = W.length;
      W.push(6); H.push(0); up.push([]); down.push([]); level.push(r); join(last, dummy); e.via.push(dummy); last = dummy;
    }
    join(last, t);
  });
  let rows = Array.from({ length: Math.max(0, ...rank) + 1 }, () => []);
  for (let i = 0; i < W.length; i++) rows[level[i]].push(i);
  rows = ordered(rows, up, down, W.length);
  const x = placed(rows, up, down, W, sizes);
  const top = [], high = [];
  let y = 0, low = Infinity, right = -Infinity;
  rows.forEach((row, r) => {
    high[r] = Math.max(...row.map(u => H[u])); top[r] = y;
    y += high[r] + GAP + (r + 1 < rows.length ? Math.min(40, 2 * Math.sqrt(row.reduce((sum, u) => sum + down[u].length, 0))) : 0);
  });
  for (let i = 0; i < W.length; i++) { low = Math.min(low, x[i] - W[i] / 2); right = Math.max(right, x[i] + W[i] / 2); }
  const at = sizes.map((s, i) => [x[i] - s[0] / 2 - low, top[rank[i]] + (high[rank[i]] - s[1]) / 2]);
  const lines = edges.map(e => {
    const [s, t] = ends(e), a = x[s] + sizes[s][3] - low, b = x[t] + sizes[t][2] - low;
    const points = [[a, at[s][1] + H[s]], [a, top[rank[s]] + high[rank[s]]]]; // straight through its own rank first: neighbours may be higher
    for (const d of e.via) points.push([x[d] - low, top[level[d]]], [x[d] - low, top[level[d]] + high[level[d]]]);
    points.push([b, top[rank[t]]], [b, at[t][1]]);
    return { s: e[0], t: e[1], count: e[2], back: !!e.back, points: e.back ? points.reverse() : points };
  });
  return { w: right - low, h: y - GAP, at, lines };
}

function placed(rows, up, down, W, sizes) {
  const n = sizes.length, x = new Float64Array(W.length), port = (u, low) => sizes[u]?.[low ? 3 : 2] || 0;
  const gaps = rows.map(row => row.map((u, i) => i ? (W[u] + W[row[i - 1]]) / 2 + (u >= n && row[i - 1] >= n ? 10 : GAP) : 0));
  rows.forEach((row, j) => {
    let sum = 0;
    row.forEach((u, i) => x[u] = sum += gaps[j][i]);
    row.forEach(u => x[u] -= sum / 2);
  });
  for (let round = 0; round < 12; round++) for (let j = 0; j < rows.length; j++) {
    const r = round % 2 ? rows.length - 1 - j : j, wanted = [], weight = [];
    for (const u of rows[r]) {
      let sum = 0, mass = 0;
      const pull = (t, low) => { const w = u >= n && t >= n ? 8 : u >= n || t >= n ? 2 : 1; sum += w * (x[t] + port(t, low) - port(u, !low)); mass += w; };
      if (round % 2 === 0 || round > 7) up[u].forEach(t => pull(t, true));
      if (round % 2 || round > 7) down[u].forEach(t => pull(t, false));
      wanted.push(mass ? sum / mass : x[u]); weight.push(u >= n ? 4 : mass || .1);
    }
    isotonic(wanted, weight, gaps[r]).forEach((value, i) => x[rows[r][i]] = value);
  }
  return x;
}

function closedBox(i) { // size and words of an item that is not open
  if (!view.sizes.has(i)) view.sizes.set(i, view.rows[i] ? unitBox(i) : scopeBox(i));
  return view.sizes.get(i);
}

function unitBox(i) {
  const N = view.nodes, lines = rowsOf(i).map(r => ({ op: cut(textOf(N.op[r]), 32), brief: cut(textOf(N.brief[r]), 40), name: cut(tail(textOf(N.name[r])), 28), family: doc.families[N.family[r]], change: view.changes?.[r] || 0 }));
  const shape = cut(textOf(N.shape[view.first[i + 1] - 1]), 40), mark = cut(rowsOf(i).map(r => textOf(N.mark[r])).filter(Boolean).join(', '), 40);
  let w = Math.max(90, widthOf(shape, '10.5') + widthOf(mark, '600 10.5') + 40);
  for (const l of lines) w = Math.max(w, 36 + widthOf(l.op, '600 12') + (l.brief ? 8 + widthOf(l.brief, '12') : 0) + widthOf(l.name, '10.5'));
  return { w: Math.ceil(w / 4) * 4, h: lines.length * LINE + (shape || mark ? 18 : 0), lines, shape, mark };
}

const PLUMBING = new Set(['Const', 'Identity', 'VariableV2', 'VarHandleOp', 'Shape', 'Reshape', 'Cast', 'StridedSlice', 'Assign', 'AssignVariableOp', 'ReadVariableOp', 'Pack']);
function tally(i) { // what a group holds: nodes, parameters, the kinds that tell most, the share of each family
  const N = view.nodes, kinds = new Map(), families = new Map(), marks = [];
  let nodes = 0, parameters = 0;
  for (const u of unitsIn(view, i)) for (const r of rowsOf(u)) {
    nodes++; parameters += N.size[r]; // each counts in the first row that reads it
    if (N.mark[r]) marks.push(textOf(N.mark[r]).split(' ')[0]);
    kinds.set(N.op[r], (kinds.get(N.op[r]) || 0) + 1); families.set(N.family[r], (families.get(N.family[r]) || 0) + 1);
  }
  const words = [...kinds].map(([op, c]) => [textOf(op), c]).sort((a, b) => PLUMBING.has(a[0]) - PLUMBING.has(b[0]) || b[1] - a[1]);
  return { nodes, parameters, marks, kinds: words.map(([op, c]) => c > 1 ? c + ' ' + op : op), families: [...families].map(([f, c]) => [doc.families[f], c / nodes]) };
}
function scopeBox(i) {
  if (view.n === 1) return { w: 200, h: 40, title: 'nothing to draw', count: 'no node is in the graph', kinds: '', mark: '', families: [] };
  const sum = tally(i), count = number(sum.nodes) + (sum.nodes === 1 ? ' node' : ' nodes') + (sum.parameters ? ' · ' + number(sum.parameters) + ' parameters' : '');
  const title = cut(shortLabel(i).split(' … ').map((part, j, all) => all.length > 1 ? tail(part) : part).join(' … '), 44), kinds = cut(sum.kinds.slice(0, 3).join(', '), 52);
  const w = Math.max(150, widthOf(title, '600 12') + 46, widthOf(count, '10.5') + 26, widthOf(kinds, '10.5') + 26);
  const mark = [...new Set(sum.marks)].join(', ');
  return { w: Math.ceil(Math.max(w, widthOf(title, '600 12') + widthOf(mark, '600 10.5') + 50) / 4) * 4, h: 66, title, count, kinds, mark, families: sum.families };
}

function layout(i) {
  if (!view.open.has(i) || !isGroup(i)) return closedBox(i);
  if (!view.laid.has(i)) view.laid.set(i, groupLayout(i));
  return view.laid.get(i);
}

function components(count, edges) {
  const root = Array.from({ length: count }, (_, j) => j), find = j => { while (root[j] !== j) j = root[j] = root[root[j]]; return j; };
  edges.forEach(e => root[find(e[0])] = find(e[1]));
  const parts = new Map();
  for (let j = 0; j < count; j++) { const r = find(j); parts.has(r) ? parts.get(r).push(j) : parts.set(r, [j]); }
  return [...parts.values()];
}

function groupLayout(i) { // each component in layers, the components beside and below each other
  const { items, edges, ins, outs } = within(i), degree = new Array(items.length).fill(0);
  const size = items.map(c => { const b = layout(c); return [b.w, b.h, b.pin || 0, b.pout || 0]; });
  edges.forEach(e => degree[e[0]]++);
  const lit = edges.filter(e => degree[e[0]] <= 14), parts = components(items.length, lit), few = set => set.length && set.length < 9;
  const blocks = parts.map(js => {
    const place = new Map(js.map((j, a) => [j, a])), sizes = js.map(j => size[j]);
    const lines = lit.filter(e => place.has(e[0])).map(e => [place.get(e[0]), place.get(e[1]), e[2]]);
    const entry = js.filter(j => ins.has(j)), exit = js.filter(j => outs.has(j));
    let a = -1, z = -1;
    if (js.length > 1 && i && parts.length < 4) { // where lines enter and leave the group
      if (few(entry)) { a = sizes.length; sizes.push([4, 0, 0, 0]); entry.forEach(j => lines.push([a, place.get(j), 0])); }
      if (few(exit)) { z = sizes.length; sizes.push([4, 0, 0, 0]); exit.forEach(j => lines.push([place.get(j), z, 0])); }
    }
    return { js, a, z, ...gathered(js.length, sizes, lines) };
  });
  return packed(i, items, blocks);
}

function packed(i, items, blocks) {
  const area = blocks.reduce((sum, b) => sum + (b.w + GAP) * (b.h + GAP), 0), limit = Math.max(Math.sqrt(area) * 1.5, ...blocks.map(b => b.w));
  const group = { items, at: [], lines: [], ports: [undefined, undefined], ends: [HEAD, 0] };
  const down = doc.facts.inferred && blocks.every(b => b.js.length === 1), deep = Math.max(640, Math.sqrt(area) * 1.2); // no wiring is known: the file's order, downwards
  let x = 0, y = 0, row = 0, w = 0, tall = 0;
  if (blocks.some(b => b.js.length > 1)) blocks.sort((a, b) => b.h - a.h);
  for (const b of blocks) {
    if (down && y && y + b.h > deep) { x += row + GAP; y = 0; row = 0; }
    if (!down && x && x + b.w > limit) { x = 0; y += row + GAP; row = 0; }
    b.js.forEach((j, q) => group.at[j] = [x + b.at[q][0] + PAD, y + b.at[q][1] + HEAD]);
    [b.a, b.z].forEach((q, end) => { if (q >= 0 && group.ports[end] === undefined) { group.ports[end] = x + b.at[q][0] + 2 + PAD; group.ends[end] = y + b.at[q][1] + HEAD; } });
    b.lines.forEach(l => group.lines.push({ ...l, s: [l.s].flat().map(j => b.js[j]), t: [l.t].flat().map(j => b.js[j]), points: l.points.map(p => [p[0] + x + PAD, p[1] + y + HEAD]) }));
    w = Math.max(w, x + b.w); row = Math.max(row, down ? b.w : b.h); tall = Math.max(tall, y + b.h);
    if (down) y += b.h + GAP; else x += b.w + GAP;
  }
  const title = i ? widthOf(cut(isScope(i) ? shortLabel(i) : labelOf(i), 60), '600 12') + 60 : 0, spare = Math.max(0, (title - w - 2 * PAD) / 2);
  if (spare) {
    group.at.forEach(p => p[0] += spare); group.lines.forEach(l => l.points.forEach(p => p[0] += spare));
    group.ports = group.ports.map(p => p === undefined ? p : p + spare);
  }
  group.w = w + 2 * PAD + 2 * spare; group.h = tall + HEAD + PAD;
  [group.pin, group.pout] = group.ports.map(p => p ? p - group.w / 2 : 0);
  return group;
}

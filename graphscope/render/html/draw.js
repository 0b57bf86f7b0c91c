// Drawing: what is open as SVG text, in one go.
const shown = new Map(); // item -> where it stands: x, y, w, h, open
let timings = window.timings = {};

function curve(points, x, y) {
  const kept = points.filter((q, i) => !i || Math.abs(q[0] - points[i - 1][0]) + Math.abs(q[1] - points[i - 1][1]) > .6);
  let path = `M${(kept[0][0] + x).toFixed(1)} ${(kept[0][1] + y).toFixed(1)}`;
  for (let i = 1; i < kept.length; i++) {
    const [a, b] = kept[i - 1], [c, e] = kept[i], m = ((b + e) / 2 + y).toFixed(1), end = (e + y).toFixed(1);
    path += Math.abs(a - c) < .6 ? `V${end}` : `C${(a + x).toFixed(1)} ${m} ${(c + x).toFixed(1)} ${m} ${(c + x).toFixed(1)} ${end}`;
  }
  return path;
}

function depthOf(i) { let d = 0; for (let j = view.up[i]; j > 0; j = view.up[j]) d++; return d + 1; }
function drawItem(i, x, y, out, siblings) {
  const box = layout(i), open = !!box.items;
  shown.set(i, { x, y, w: box.w, h: box.h, open });
  const role = `id="item${i}" data-item="${i}" role="treeitem" aria-level="${depthOf(i)}" aria-posinset="${siblings[0]}" aria-setsize="${siblings[1]}" aria-selected="${i === selected}" aria-label="${escaped(cut(labelOf(i), 120))}"` + (isGroup(i) ? ` aria-expanded="${open}"` : '');
  if (open) return drawOpen(i, box, x, y, out, role);
  const change = box.lines ? strongest(box.lines.map(l => l.change)) : changeIn(i);
  out.push(`<g class="box hit${i === selected ? ' sel' : ''}${change ? ' change' + change : ''}" ${role}><rect class="card" x="${x}" y="${y}" width="${box.w}" height="${box.h}" rx="7"/>`);
  if (box.lines) drawUnit(i, box, x, y, out); else drawScope(box, x, y, out);
  out.push('</g>');
}

function drawOpen(i, box, x, y, out, role) {
  if (i) out.push(`<g class="box hit${i === selected ? ' sel' : ''}" ${role}><rect class="card open" x="${x}" y="${y}" width="${box.w}" height="${box.h}" rx="10"/></g>`);
  box.ports.forEach((p, low) => { if (p) out.push(`<path class="e stub" stroke-width="1.2" d="M${(x + p).toFixed(1)} ${low ? y + box.ends[1] : y}V${low ? y + box.h : y + box.ends[0]}"/>`); });
  for (const l of box.lines) {
    const names = js => js.map(j => box.items[j] ?? '').join(','), s = names(l.s), t = names(l.t), width = l.count ? 1.2 + Math.min(3, Math.log2(l.count) * .5) : 1.2;
    out.push(`<path class="e${l.count ? '' : ' stub'}${l.back ? ' back' : ''}" data-s="${s}" data-t="${t}" stroke-width="${width.toFixed(1)}" d="${curve(l.points, x, y)}"${t === '' ? '' : ' marker-end="url(#tip)"'}/>`);
  }
  if (i) out.push(`<text class="b title" x="${x + 14}" y="${y + 17}">${escaped(cut(isScope(i) ? shortLabel(i) : labelOf(i), 60))}</text><text class="s r" x="${x + box.w - 12}" y="${y + 17}">–</text>`); // over the lines that enter
  box.items.forEach((c, j) => drawItem(c, x + box.at[j][0], y + box.at[j][1], out, [j + 1, box.items.length]));
}

function drawUnit(i, box, x, y, out) {
  const { w, h, lines } = box, count = lines.length;
  lines.forEach((l, r) => {
    const dark = l.family === 'input' ? ' inv' : '', top = y + r * LINE, last = r === count - 1 && h === count * LINE;
    const band = `M${x + 1} ${top + (r ? 0 : 7)}${r ? '' : 'q0-6 6-6'}H${x + w - (r ? 1 : 7)}${r ? '' : 'q6 0 6 6'}V${top + LINE - (last ? 7 : 0)}${last ? 'q0 6-6 6' : ''}H${x + (last ? 7 : 1)}${last ? 'q-6 0-6-6' : ''}z`;
    out.push(`<path class="f-${l.family}" d="${band}"/><text x="${x + 9}" y="${top + 11}"${dark && ' class="inv"'}><tspan class="b${dark}">${escaped(l.op)}</tspan>${l.brief ? ` <tspan dx="3"${dark && ' class="inv"'}>${escaped(l.brief)}</tspan>` : ''}</text><text class="s r${dark}" x="${x + w - 9}" y="${top + 11}">${escaped(l.name)}</text>`);
  });
  if (box.shape) out.push(`<text class="s r" x="${x + w - 9}" y="${y + h - 9}">${escaped(box.shape)}</text>`);
  if (box.mark) out.push(`<text class="s b mark" x="${x + 9}" y="${y + h - 9}">${escaped(box.mark)}</text>`);
  if (isGroup(i)) out.push(`<path class="more" d="M${x + w - 5} ${y - 3}h8v8"/>`);
}

function drawScope(box, x, y, out) {
  out.push(`<rect class="card" x="${x + 3}" y="${y - 3}" width="${box.w - 6}" height="6" rx="3"/><rect class="card fold" x="${x}" y="${y}" width="${box.w}" height="${box.h}" rx="7"/><text class="b" x="${x + 11}" y="${y + 14}">${escaped(box.title)}</text><text class="s r" x="${x + box.w - 10}" y="${y + 14}">${view.n > 1 ? '+' : ''}</text><text class="s" x="${x + 11}" y="${y + 31}">${escaped(box.count)}</text><text class="s" x="${x + 11}" y="${y + 45}">${escaped(box.kinds)}</text>`);
  if (box.mark) out.push(`<text class="s b mark r" x="${x + box.w - 24}" y="${y + 14}">${escaped(box.mark)}</text>`);
  let start = x + 11;
  for (const [family, share] of box.families) {
    out.push(`<rect class="f-${family}" x="${start.toFixed(1)}" y="${y + 55}" width="${((box.w - 22) * share).toFixed(1)}" height="5"/>`);
    start += (box.w - 22) * share;
  }
}

const strongest = changes => [1, 2, 3, 4].find(c => changes.includes(c)) || 0; // added, removed, changed, only its weights moved
function changeIn(i) {
  return view.changes ? strongest(view.changes.slice(view.first[i], view.first[view.end[i]])) : 0;
}

function paint() { // the place of the map is for the caller to set: move()
  const out = [], begin = performance.now();
  shown.clear(); drawItem(0, 0, 0, out, [1, 1]);
  const drawn = performance.now();
  byId('world').innerHTML = out.join('');
  timings.layout = drawn - begin; timings.paint = performance.now() - drawn; timings.boxes = shown.size;
  light();
}

function light() { // the lines of the selection, or what a question lit
  if (!lit && selected <= 0 && !light.some) return;
  light.some = lit || selected > 0;
  const world = byId('world'), on = i => { for (let j = i; j < view.end[i]; j++) if (lit[j]) return true; return false; };
  world.classList.toggle('lit', !!lit);
  const ends = text => text ? text.split(',').map(Number) : [];
  world.querySelectorAll('.e').forEach(line => {
    const s = ends(line.dataset.s || ''), t = ends(line.dataset.t || '');
    line.classList.toggle('hot', s.length > 0 && t.length > 0 && (lit ? s.some(on) && t.some(on) : selected > 0 && (s.includes(selected) || t.includes(selected))));
  });
  if (lit) world.querySelectorAll('.box').forEach(box => box.classList.toggle('on', on(+box.dataset.item)));
}

function minimap() {
  const b = layout(0), canvas = byId('mini'), f = Math.min(170 / Math.max(b.w, b.h / 6), 200 / b.h), pencil = canvas.getContext('2d'), style = getComputedStyle(canvas), map = mapSize();
  canvas.hidden = b.w * scale <= map.width && b.h * scale <= map.height;
  if (canvas.hidden) return;
  canvas.width = b.w * f; canvas.height = b.h * f; canvas.factor = f;
  pencil.fillStyle = style.color;
  for (const [, r] of shown) if (!r.open) pencil.fillRect(r.x * f, r.y * f, Math.max(1, r.w * f), Math.max(1, r.h * f));
  pencil.strokeStyle = style.outlineColor; pencil.lineWidth = 1.5;
  const x = Math.max(1, -left / scale * f), y = Math.max(1, -above / scale * f), right = Math.min(canvas.width - 1, (map.width - left) / scale * f), bottom = Math.min(canvas.height - 1, (map.height - above) / scale * f);
  pencil.strokeRect(x, y, Math.max(0, right - x), Math.max(0, bottom - y));
}

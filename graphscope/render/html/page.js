// What the reader does: pan, zoom, fold, walk, search, ask.
let selected = -1, lit = null, pathFrom = -1, scale = 1, left = 0, above = 0;
const began = performance.now();
let place = null; // where the map is on the screen: asking the browser each time would have it lay out all
const mapSize = () => place ||= byId('map').getBoundingClientRect();
const say = text => byId('status').textContent = text;

function move() {
  if (move.prints) return;
  byId('world').setAttribute('transform', `translate(${left} ${above}) scale(${scale})`);
  if (!move.waits) requestAnimationFrame(() => { move.waits = false; minimap(); });
  move.waits = true;
}
function zoom(factor, x, y) {
  const next = Math.min(4, Math.max(.02, scale * factor));
  left = x - (x - left) * next / scale; above = y - (y - above) * next / scale; scale = next;
  move();
}
function fit(whole) { // the whole, or its width where the whole would be too small to read
  const b = layout(0), map = mapSize(), all = Math.min(map.width / b.w, map.height / b.h) * .96, tall = !whole && all < .66;
  scale = Math.min(1.3, tall ? Math.max(.3, Math.min(1, map.width / b.w * .96)) : all);
  left = (map.width - b.w * scale) / 2; above = tall ? 12 : Math.max(0, (map.height - b.h * scale) / 2);
  if (b.w * scale > map.width) left = 8;
  fit.last = { whole, at: [scale, left, above].join() };
  move();
}
function resized() { // a frame gets its size late: what nobody has moved yet is fitted anew
  place = null;
  fit.last?.at === [scale, left, above].join() ? fit(fit.last.whole) : move();
}
function forget(i) { for (let j = i; j >= 0; j = view.up[j]) view.laid.delete(j); }

function toggle(i) {
  if (i <= 0 || !isGroup(i)) return;
  const before = shown.get(i), begin = performance.now(), open = !view.open.has(i);
  open ? view.open.add(i) : view.open.delete(i);
  forget(i); paint();
  const now = shown.get(i);
  if (before && now) { left += (before.x + before.w / 2 - now.x - now.w / 2) * scale; above += (before.y - now.y) * scale; }
  move();
  timings.toggle = performance.now() - begin;
  if (selected === i) byId('side').innerHTML = details(i);
  say(labelOf(i) + (open ? ' unfolded' : ' folded'));
}
function toggleAll(open) {
  const g = selected > 0 && isGroup(selected) ? selected : 0;
  if (open) {
    let boxes = shown.size;
    const queue = [g];
    view.open.add(g);
    for (let q = 0; q < queue.length; q++) for (const c of children(queue[q])) {
      if (!isGroup(c) || !isScope(c)) continue;
      const more = view.open.has(c) ? 0 : children(c).length;
      if (boxes + more > 1500) continue;
      boxes += more; view.open.add(c); queue.push(c);
    }
  } else for (const o of [...view.open]) if (o >= g && o < view.end[g] && o) view.open.delete(o);
  view.laid.clear(); paint();
  g ? move() : fit();
}

function select(i) {
  if (pathFrom > 0 && i > 0 && i !== pathFrom) return showPath(pathFrom, i);
  pathFrom = -1;
  const old = document.querySelector('.sel');
  old?.classList.remove('sel'); old?.setAttribute('aria-selected', 'false');
  selected = i; lit = null;
  const box = byId('item' + i);
  box?.classList.add('sel'); box?.setAttribute('aria-selected', 'true');
  i > 0 ? byId('map').setAttribute('aria-activedescendant', 'item' + i) : byId('map').removeAttribute('aria-activedescendant');
  light();
  byId('side').innerHTML = i > 0 ? details(i) : overview();
  document.body.classList.toggle('chosen', i > 0);
  if (innerWidth <= 760) place = null;
  if (i > 0) say(labelOf(i));
  remember(i);
}
function remember(i) { // a link to the selection, where the place of the page allows it
  if (location.protocol === 'about:') return;
  const name = i > 0 ? (view.rows[i] ? textOf(view.nodes.name[view.first[i]]) : textOf(view.label[i])) : '';
  try { history.replaceState(null, '', name ? `#${view.level}/${encodeURIComponent(name)}` : location.pathname + location.search); } catch { /* a file in a sandbox */ }
}
function showPath(a, b) {
  pathFrom = -1;
  const way = between(a, b);
  select(b);
  lit = way; light();
  say(way ? `the way between ${labelOf(a)} and ${labelOf(b)}` : `no way between ${labelOf(a)} and ${labelOf(b)}`);
}
function ask(question) {
  if (selected <= 0) return;
  if (question === 'path') { pathFrom = selected; return say('Choose where the path goes.'); }
  lit = reach(view, rangeOf(selected), question === 'up'); light();
}
function reveal(i) {
  for (let j = view.up[i]; j > 0; j = view.up[j]) if (!view.open.has(j)) { view.open.add(j); forget(j); }
  if (tab !== 'map') showTab('map');
  paint(); select(i);
  const r = shown.get(i), map = mapSize();
  scale = Math.max(scale, .8);
  left = map.width / 2 - (r.x + r.w / 2) * scale; above = map.height / 2 - (r.y + Math.min(r.h / 2, 100)) * scale;
  move();
}
function revealName(name) { // at this altitude, else at the first that has it
  const plain = name.replace(/:\d+$/, '');
  for (const v of [view, ...doc.views]) {
    if (!v.ready) prepare(v);
    const i = Math.max(placeOf(v, name), placeOf(v, plain));
    if (i < 0) continue;
    if (v !== view) show(doc.views.indexOf(v));
    return reveal(i);
  }
  say(`${name} is at no altitude of the map`);
}

function search() {
  const query = byId('query').value.toLowerCase().trim(), N = view.nodes, W = view.weights, hits = [];
  if (tab !== 'map') { byId('table').innerHTML = tableText(tab); return; }
  if (query.length > 1) {
    for (let i = 1; i < view.n && hits.length < 12; i++) if (view.label[i] && textOf(view.label[i]).toLowerCase().includes(query)) hits.push([i, 'group', textOf(view.label[i])]);
    for (let r = 0; r < N.name.length && hits.length < 60; r++) if ((textOf(N.name[r]) + '\n' + textOf(N.op[r]) + '\n' + textOf(N.brief[r])).toLowerCase().includes(query)) hits.push([view.itemOf[r], textOf(N.op[r]), textOf(N.name[r])]);
    for (let j = 0; j < W.row.length && hits.length < 90; j++) if ((textOf(W.name[j]) + '\n' + textOf(W.via[j])).toLowerCase().includes(query)) hits.push([view.itemOf[W.row[j]], textOf(W.role[j]) || 'weight', textOf(W.name[j]) + (W.via[j] ? ' through ' + textOf(W.via[j]) : '')]);
    for (let r = 0; r < N.name.length && hits.length < 100; r++) for (const m of N.more[r] && textOf(N.more[r]).toLowerCase().includes(query) ? moreOf(view, r).m || [] : []) if (m.toLowerCase().includes(query)) hits.push([view.itemOf[r], 'member', m]);
  }
  const none = query.length > 1 ? '<button disabled>nothing here: try another altitude</button>' : '';
  byId('hits').innerHTML = hits.map(([i, op, name]) => `<button role="option" data-go="${i}"><b>${escaped(op)}</b> <span class="dim">${escaped(name)}</span></button>`).join('') || none;
}

function walk(dx, dy) { // to the nearest box in a direction
  if (selected <= 0 || !shown.has(selected)) return reveal(children(0)[0]);
  const from = shown.get(selected);
  let best = -1, least = Infinity;
  for (const [i, b] of shown) {
    if (i === selected || b.open) continue;
    const x = b.x + b.w / 2 - from.x - from.w / 2, y = b.y + b.h / 2 - from.y - from.h / 2, ahead = x * dx + y * dy;
    if (ahead <= 4) continue;
    const away = ahead + 2 * Math.abs(dx ? y : x);
    if (away < least) { least = away; best = i; }
  }
  if (best > 0) reveal(best);
}

function start(budget) { // unfold what shows most for each box that it adds; kin together
  let boxes = children(0).length;
  for (;;) {
    const kin = new Map();
    for (const g of view.open) for (const c of children(g)) {
      if (!isGroup(c) || view.kind[c] !== 1 || view.open.has(c)) continue;
      const key = textOf(view.kin[c]) || c;
      kin.has(key) ? kin.get(key).push(c) : kin.set(key, [c]);
    }
    let best = null, worth = 0;
    for (const groups of kin.values()) {
      const more = groups.reduce((sum, c) => sum + children(c).length - 1, 0);
      if (boxes + more > budget) continue;
      const value = (groups.reduce((sum, c) => sum + within(c).edges.length, 0) + .5) / (more + 1);
      if (value > worth) { worth = value; best = [groups, more]; }
    }
    if (!best) return;
    best[0].forEach(c => view.open.add(c)); boxes += best[1];
  }
}
function firstSight() { // the most that can be read without much scrolling
  const map = mapSize();
  let kept, boxes = 0;
  for (const budget of [16, 28, 44, 64, 100]) {
    view.open = new Set([0]); view.laid.clear(); start(budget);
    const b = layout(0), fits = Math.min(map.width / b.w, map.height / b.h) >= .66;
    if (boxes > 7 && !fits && (map.width / b.w < .66 || b.h * .66 > 2.4 * map.height)) break;
    kept = view.open; boxes = [...kept].reduce((sum, g) => sum + children(g).length - 1, 1);
  }
  view.open = kept; view.laid.clear();
}
function show(at) {
  view = doc.views[at];
  if (!view.ready) prepare(view);
  if (!view.seen) { firstSight(); view.seen = true; }
  lit = null; selected = -1; pathFrom = -1;
  [...byId('views').children].forEach((b, i) => b.setAttribute('aria-pressed', i === at));
  if (tab !== 'map') showTab('map');
  paint(); fit(); select(-1);
}

const clicks = {
  go: value => { byId('hits').innerHTML = ''; reveal(+value); },
  name: value => revealName(value),
  fold: value => toggle(+value),
  ask: value => ask(value),
  view: value => show(+value),
  tab: value => { order = { column: -1, down: false }; showTab(value); },
  sort: value => { order = { column: +value, down: order.column === +value && !order.down }; showTab(tab); },
  close: () => select(-1),
  do: value => ({ fit: () => fit(true), open: () => toggleAll(true), close: () => toggleAll(false), theme: nextTheme, in: () => zoom(1.3, mapSize().width / 2, mapSize().height / 2), out: () => zoom(1 / 1.3, mapSize().width / 2, mapSize().height / 2) })[value](),
};
function nextTheme() {
  const themes = ['', 'dark', 'light'], root = document.documentElement;
  root.dataset.theme = themes[(themes.indexOf(root.dataset.theme || '') + 1) % 3];
  minimap();
}
function onKey(e) {
  if (e.target === byId('query')) {
    if (e.key === 'Escape') { byId('query').value = ''; search(); byId('map').focus(); }
    if (e.key === 'Enter') byId('hits').firstChild?.click();
    return;
  }
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const { width, height } = mapSize(), onMap = tab === 'map' && (e.target === byId('map') || e.target === document.body);
  const keys = { '/': () => byId('query').focus(), f: () => fit(true), w: () => fit(false), e: () => toggleAll(true), c: () => toggleAll(false), '+': () => zoom(1.25, width / 2, height / 2), '-': () => zoom(.8, width / 2, height / 2), Escape: () => select(-1), u: () => ask('up'), d: () => ask('down'), p: () => ask('path') };
  doc.views.forEach((_, i) => keys[i + 1] = () => show(i));
  if (onMap) Object.assign(keys, { Enter: () => toggle(selected), ' ': () => toggle(selected), ArrowUp: () => walk(0, -1), ArrowDown: () => walk(0, 1), ArrowLeft: () => walk(-1, 0), ArrowRight: () => walk(1, 0), Home: () => reveal(children(0)[0]) });
  if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
}

function listen() {
  const map = byId('map'), fingers = new Map(), itemAt = e => +(e.target.closest?.('[data-item]')?.dataset.item ?? -1);
  let moved = 0;
  map.addEventListener('wheel', e => { e.preventDefault(); const r = mapSize(); e.shiftKey ? (left -= e.deltaY, move()) : zoom(Math.exp(-e.deltaY * .0016), e.clientX - r.left, e.clientY - r.top); }, { passive: false });
  map.addEventListener('pointerdown', e => { fingers.set(e.pointerId, [e.clientX, e.clientY]); if (fingers.size === 1) moved = 0; });
  addEventListener('pointermove', e => {
    const last = fingers.get(e.pointerId);
    if (!last) return;
    const other = [...fingers].find(([id]) => id !== e.pointerId)?.[1], r = mapSize(), x = e.clientX, y = e.clientY;
    if (other) zoom(Math.hypot(x - other[0], y - other[1]) / Math.max(1, Math.hypot(last[0] - other[0], last[1] - other[1])), (x + other[0]) / 2 - r.left, (y + other[1]) / 2 - r.top);
    moved += Math.abs(x - last[0]) + Math.abs(y - last[1]);
    const part = other ? .5 : 1;
    left += (x - last[0]) * part; above += (y - last[1]) * part;
    fingers.set(e.pointerId, [x, y]); move();
  });
  for (const end of ['pointerup', 'pointercancel']) addEventListener(end, e => fingers.delete(e.pointerId));
  map.addEventListener('click', e => { if (moved < 5) e.shiftKey && selected > 0 ? showPath(selected, itemAt(e)) : select(itemAt(e)); });
  map.addEventListener('dblclick', e => toggle(itemAt(e)));
  byId('mini').addEventListener('pointerdown', e => { const f = byId('mini').factor, r = mapSize(); left = r.width / 2 - e.offsetX / f * scale; above = r.height / 2 - e.offsetY / f * scale; move(); });
  document.addEventListener('click', e => {
    const chosen = e.target.closest?.('button,a'), data = chosen?.dataset || {};
    if (chosen?.localName === 'a') e.preventDefault();
    for (const key in data) clicks[key]?.(data[key]);
    if (!e.target.closest?.('#find')) byId('hits').innerHTML = '';
  });
  byId('query').addEventListener('input', search);
  byId('query').addEventListener('focus', search);
  addEventListener('keydown', onKey);
  addEventListener('resize', resized);
  addEventListener('beforeprint', () => { // the whole map on a page; over several where it would be too small to read
    const b = layout(0);
    move.prints = true;
    map.setAttribute('viewBox', `0 0 ${b.w} ${b.h}`); map.classList.toggle('tall', b.h > 1900);
    map.style.maxWidth = `${1.2 * b.w}px`; // a small map stays small
    byId('world').removeAttribute('transform');
  });
  addEventListener('afterprint', () => { move.prints = false; map.removeAttribute('viewBox'); map.style.maxWidth = ''; place = null; move(); });
}

async function begin() {
  const data = byId('data');
  doc = await unpack(data.textContent);
  data.remove();
  timings.read = performance.now() - began;
  byId('views').innerHTML = doc.views.map((v, i) => `<button data-view="${i}" title="key ${i + 1}">${escaped(v.title)}</button>`).join('');
  const counts = { findings: doc.findings.length, variables: doc.variables.length };
  document.querySelectorAll('[role=tab]').forEach(b => { if (b.dataset.tab in counts) { b.hidden = !counts[b.dataset.tab]; b.textContent += ` ${number(counts[b.dataset.tab])}`; } });
  const [level, name] = location.hash.slice(1).split(/\/(.*)/);
  listen(); show(doc.first || 0);
  if (name) { const at = doc.views.findIndex(v => v.level === level); if (at > 0) show(at); revealName(decodeURIComponent(name)); }
  timings.script = performance.now() - began;
  requestAnimationFrame(() => requestAnimationFrame(() => { timings.first = performance.now(); document.body.dataset.ready = 'yes'; }));
}
begin();

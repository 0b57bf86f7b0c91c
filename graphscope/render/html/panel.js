// The panel at the side: what the model is, and what the selection is.
const row = (...cells) => '<tr>' + cells.map((c, i) => `<td${i ? ' class="v"' : ''}>${c}</td>`).join('') + '</tr>';
const heading = text => `<h3>${text}</h3>`;
const link = (text, data) => `<a href="#" ${data}>${escaped(text)}</a>`;
const goTo = name => link(name, `data-name="${escaped(name)}"`);
const shapeText = s => s ? s.map(n => n ?? '?').join(' × ') || 'scalar' : '?';
const bytesText = n => { const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']; let u = 0; while (n >= 1024 && u < 4) { n /= 1024; u++; } return (u ? n.toFixed(1) : n) + ' ' + units[u]; };

function overview() {
  const f = doc.facts, cards = [[f.parameters, 'parameters'], [f.bytes && bytesText(f.bytes), 'weights'], [Object.values(f.layers || {}).reduce((a, b) => a + b, 0), 'layers'], f.inferred ? [doc.variables.length, 'variables in the file'] : [!f.format || doc.views.some(v => v.level === 'op') ? f.nodes : 0, 'nodes in the file']].filter(c => c[0]);
  let text = `<h2>${escaped(doc.title)}</h2><p class="dim">${escaped([f.format, f.producer].filter(Boolean).join(', '))}</p>`;
  if (f.family?.claim || f.family?.name) text += `<p>${escaped(f.family.title || f.family.name || '')}</p>`;
  if (f.verdict) text += `<p><b>${escaped(f.verdict)}</b></p>`;
  text += '<div class="cards">' + cards.map(([n, w]) => `<div><b>${typeof n === 'number' ? number(n) : escaped(n)}</b>${w}</div>`).join('') + '</div>';
  if (f.format) text += `<p class="dim">${f.inferred && view.n === 1 ? 'No weight of a layer is in the file.' : f.inferred ? 'Layers are inferred from names and shapes: no graph is in the file, so how they are wired is not known.' : doc.views.some(v => v.level === 'op') ? 'The operations are read from the file; layers, inputs and outputs are inferred from what is computed.' : 'The layers are read from the file.'}</p>`;
  text += ends('Inputs', f.inputs) + ends('Outputs', f.outputs);
  const errors = doc.findings.filter(x => x.severity !== 'info').slice(0, 4);
  if (errors.length) text += heading('Findings') + errors.map(f => findingText({ ...f, remedy: '' })).join('');
  if (doc.findings.length > errors.length) text += `<p>${link(`${doc.findings.length === 1 ? 'the finding' : `all ${doc.findings.length} findings`}, with remedies`, 'data-tab="findings"')}</p>`;
  const kinds = Object.entries(f.layers || {}).slice(0, 12);
  if (kinds.length) text += heading('Layers') + '<table>' + kinds.map(([k, n]) => row(escaped(k), number(n))).join('') + '</table>';
  const roles = Object.entries(f.roles || {});
  if (roles.length) text += heading('Only in training') + '<table>' + roles.map(([k, n]) => row(escaped(k), number(n) + ' nodes')).join('') + '</table>';
  const recipe = (f.training || {}).optimizers || [];
  if (recipe.length) text += heading('Trained by') + '<p>' + recipe.map((each) => escaped(each.text)).join('<br>') + '</p>';
  text += (f.remarks || []).map(r => `<p class="dim">${escaped(r)}</p>`).join('');
  return text + legend();
}

const OF_SAVING = new Set(['file name', 'not needed']); // feeds that nobody who runs the model gives
function ends(title, all) {
  const listed = (all || []).filter(e => !OF_SAVING.has(e.kind));
  if (!listed.length) return '';
  return heading(title) + listed.slice(0, 6).map(e => `<div class="end${e.score < .5 ? ' unsure' : ''}">${goTo(e.tensor.replace(/:0$/, ''))} <span class="dim">${escaped(e.dtype || '')} ${escaped(shapeText(e.shape))}${e.kind && e.kind !== 'input' ? ' · ' + escaped(e.kind) : ''}${e.score < .995 ? ` · ${e.score.toFixed(2)}` : ''}</span></div>`).join('') + (listed.length > 6 ? `<div class="dim">and ${listed.length - 6} more candidates</div>` : '');
}

function legend() {
  const families = new Set(view.nodes.family.slice(0, 4000).map(f => doc.families[f]));
  const known = doc.families.filter(f => families.has(f) && !/^block/.test(f));
  if (view.changes) return heading('Colours') + '<div class="legend">' + ['added', 'removed', 'changed', 'weights moved'].map((w, i) => `<span><i class="c${i + 1}"></i>${w}</span>`).join('') + '</div>';
  return known.length === 0 ? '' : heading('Colours') + '<div class="legend">' + known.map(f => `<span><i class="l-${f}"></i>${f}</span>`).join('') + '</div>';
}

function placesText(all) { // a finding may be of many nodes
  return all.slice(0, 3).map(goTo).join(', ') + (all.length > 3 ? ` and ${all.length - 3} more` : '');
}
function findingText(f) {
  const place = f.places.length ? ' · ' + placesText(f.places) : '';
  return `<div class="finding ${['error', 'warning'].includes(f.severity) ? f.severity : 'info'}"><b>${escaped(f.severity)}</b>${place}<br>${escaped(f.message)}${f.remedy ? `<pre>${escaped(f.remedy)}</pre>` : ''}</div>`;
}

function details(i) {
  let text = isScope(i) ? scopeDetails(i) : rowsOf(i).map(rowDetails).join('<hr>');
  text += findingsAt(i);
  text += heading('Reads') + neighbours(i, view.inAt, view.in) + heading('Feeds') + neighbours(i, view.outAt, view.out);
  const buttons = [['up', 'What it depends on'], ['down', 'What depends on it'], ['path', 'Path to …']];
  text += '<p class="buttons">' + (isGroup(i) ? `<button data-fold="${i}">${view.open.has(i) ? 'Fold' : 'Unfold'}</button>` : '') + buttons.map(([k, w]) => `<button data-ask="${k}">${w}</button>`).join('') + '</p>';
  return '<button class="close" data-close aria-label="close the details">×</button>' + text;
}

function scopeDetails(i) {
  const sum = tally(i);
  return `<h2>${escaped(textOf(view.label[i]))}</h2><p class="dim">${number(sum.nodes)} nodes${sum.parameters ? ' · ' + number(sum.parameters) + ' parameters' + share(sum.parameters) : ''}</p>` + heading('Members') + '<table>' + sum.kinds.slice(0, 14).map(k => row(escaped(k))).join('') + '</table>';
}
const share = n => doc.facts.parameters ? ` <span class="dim">${(100 * n / doc.facts.parameters).toPrecision(2)} %</span>` : '';

function rowDetails(r) {
  const N = view.nodes, more = moreOf(view, r), shape = textOf(N.shape[r]);
  let text = `<h2>${escaped(textOf(N.op[r]))}</h2><div class="dim">${escaped(textOf(N.name[r]))}</div>`;
  if (textOf(N.mark[r])) text += `<div class="mark"><b>${escaped(textOf(N.mark[r]))}</b></div>`;
  if (shape) text += `<div>${escaped(shape)} <span class="dim">${escaped(more.d || '')}</span></div>`;
  if (more.x) text += heading('Difference') + more.x.map(x => `<div>${escaped(x)}</div>`).join('');
  text += weightDetails(r);
  const config = Object.entries(more.c || {});
  if (config.length) text += heading(more.m || more.e ? 'Config' : 'Attributes') + '<table>' + config.map(([k, v]) => row(escaped(k), escaped(cut(v, 200)))).join('') + '</table>';
  if (more.e) text += heading('Evidence') + more.e.map(e => `<div>${escaped(e)}</div>`).join('');
  if (more.m) text += heading(`Members (${more.n || more.m.length})`) + `<div class="members">${more.m.map(escaped).join('<br>')}${more.n > more.m.length ? '<br>…' : ''}</div>`;
  if (more.t) text += heading('Control inputs') + more.t.map(t => `<div>${goTo(t)}</div>`).join('');
  return text;
}

function weightDetails(r) {
  const W = view.weights;
  let rows = '';
  for (let j = view.weightAt[r]; j < view.weightAt[r + 1]; j++) {
    const stats = W.stat[j] ? doc.statistics[W.stat[j] - 1] : null;
    rows += `<tr><td><b>${escaped(textOf(W.role[j]))}</b> <span class="dim">${escaped(textOf(W.name[j]))}</span>${stats ? histogram(stats) : ''}</td><td class="n">${escaped(textOf(W.shape[j]))}${W.size[j] > 1 ? '<br>' + share(W.size[j]) : ''}</td></tr>`;
  }
  if (!rows) return '';
  const unread = doc.statistics ? '' : '<p class="dim">Values were not read: write the page with --stats to see histograms.</p>';
  return heading('Weights') + `<table>${rows}</table>${unread}`;
}

function histogram(s) {
  const high = Math.max(...s.bins, 1), bars = s.bins.map((h, b) => h ? `<rect x="${b * 10}" y="${34 - 34 * h / high}" width="9" height="${34 * h / high}"/>` : '').join('');
  const odd = [['zeros', s.zeros], ['NaN', s.nan], ['infinite', s.inf], ['dead channels', s.dead]].filter(p => p[1]).map(p => `${number(p[1])} ${p[0]}`).join(' · ');
  return `<svg class="hist" viewBox="0 0 240 34" preserveAspectRatio="none" role="img" aria-label="histogram from ${s.min} to ${s.max}">${bars}</svg><div class="scale"><span>${s.min}</span><span>${s.max}</span></div><div class="dim">mean ${s.mean} · std ${s.std}${odd ? ' · ' + odd : ''}</div>`;
}

function findingsAt(i) {
  const names = new Set();
  for (let r = view.first[i]; r < view.first[view.end[i]]; r++) {
    names.add(textOf(view.nodes.name[r]));
    for (let j = view.weightAt[r]; j < view.weightAt[r + 1]; j++) names.add(textOf(view.weights.name[j]));
    for (const m of moreOf(view, r).m || []) names.add(m);
    if (names.size > 20000) break;
  }
  const here = doc.findings.filter(f => f.places.some(n => names.has(n.replace(/:\d+$/, ''))));
  return here.length ? heading('Findings here') + here.slice(0, 20).map(findingText).join('') : '';
}

function neighbours(i, at, to) {
  const others = new Set();
  for (let j = i; j < view.end[i]; j++) for (let e = at[j]; e < at[j + 1]; e++) if (to[e] < i || to[e] >= view.end[i]) others.add(to[e]);
  const listed = [...others].slice(0, 30).map(j => `<div>${link(labelOf(j), `data-go="${j}"`)}</div>`).join('');
  return (listed || '<div class="dim">nothing</div>') + (others.size > 30 ? `<div class="dim">and ${others.size - 30} more</div>` : '');
}

// Tables of layers, variables and findings: sorted by a click on a column's head, filtered by the search, each row a way to the map.
const MOST = 1000;
const tables = { layers: layerTable, variables: variableTable, findings: findingTable };
let tab = 'map', order = { column: -1, down: false };

function layerTable() {
  const v = doc.views.find(each => each.level === 'layer') || doc.views[0], N = v.nodes, rows = [];
  if (!v.ready) prepare(v);
  for (const u of unitsIn(v, 0)) for (let r = v.first[u]; r < v.first[u + 1]; r++) rows.push([textOf(N.name[r]), textOf(N.op[r]), textOf(N.brief[r]), textOf(N.shape[r]), N.size[r] || null, N.size[r] && doc.facts.parameters ? 100 * N.size[r] / doc.facts.parameters : null]);
  return { head: ['Name', 'Type', 'Config', 'Output', 'Parameters', 'Share %'], rows, name: 0 };
}
function variableTable() {
  const stats = !!doc.statistics, head = ['Name', 'Role', 'Dtype', 'Shape', 'Elements', 'Bytes', ...stats ? ['Minimum', 'Maximum', 'Mean', 'Std'] : []];
  const rows = doc.variables.map(v => {
    const s = v.stat ? doc.statistics[v.stat - 1] : {};
    return [textOf(v.name), textOf(v.role), textOf(v.dtype), textOf(v.shape), v.size, v.bytes, ...stats ? [s.min, s.max, s.mean, s.std] : []];
  });
  return { head, rows, name: 0 };
}
function findingTable() {
  const rank = { error: 0, warning: 1, info: 2 };
  const rows = [...doc.findings].sort((a, b) => (rank[a.severity] ?? 3) - (rank[b.severity] ?? 3)).map(f => [f.severity, f.places, f.message, f.remedy || '']);
  return { head: ['Severity', 'Place', 'What', 'Remedy'], rows, name: 1, place: placesText };
}

function compare(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return (a ?? null) === (b ?? null) ? 0 : a == null ? -1 : b == null ? 1 : String(a).localeCompare(String(b), 'en', { numeric: true });
}
function cellText(c) { return c === undefined || c === null ? '' : typeof c === 'number' ? (Number.isInteger(c) ? number(c) : c.toPrecision(3)) : escaped(c); }

function tableText(kind) {
  const { head, rows, name, place = goTo } = tables[kind](), query = byId('query').value.toLowerCase().trim();
  let kept = query ? rows.filter(r => r.some(c => String(c).toLowerCase().includes(query))) : rows;
  if (order.column >= 0) kept = [...kept].sort((a, b) => compare(a[order.column], b[order.column]) * (order.down ? -1 : 1));
  const numeric = head.map((_, c) => rows.length > 0 && rows.some(r => typeof r[c] === 'number'));
  const top = head.map((h, c) => `<th scope="col"${numeric[c] ? ' class="n"' : ''} aria-sort="${c !== order.column ? 'none' : order.down ? 'descending' : 'ascending'}"><button data-sort="${c}">${h}${c === order.column ? order.down ? ' ↓' : ' ↑' : ''}</button></th>`).join('');
  const body = kept.slice(0, MOST).map(r => `<tr${kind === 'findings' ? ` class="${escaped(r[0])}"` : ''}>` + r.map((c, i) => `<td${numeric[i] ? ' class="n"' : ''}>${i === name && c.length ? place(c) : cellText(c)}</td>`).join('') + '</tr>').join('');
  const note = `<p class="dim">${number(kept.length)} of ${number(rows.length)} ${kind === 'layers' ? 'rows' : kind}${kept.length > MOST ? `, the first ${number(MOST)} are listed` : ''}</p>`;
  return `${note}<table><thead><tr>${top}</tr></thead><tbody>${body}</tbody></table>`;
}

function showTab(kind) {
  tab = kind;
  byId('map').classList.toggle('away', kind !== 'map'); byId('table').hidden = kind === 'map';
  document.querySelectorAll('[data-tab][role=tab]').forEach(b => b.setAttribute('aria-selected', b.dataset.tab === kind));
  if (kind !== 'map') byId('table').innerHTML = tableText(kind);
  byId('hits').innerHTML = '';
}

// What the page does beyond htmx: keeps the focus where it is while its parts are replaced,
// moves it between cells with the arrow keys, speaks transitions, and remembers what the visitor
// has folded.
(() => {
  'use strict';
  const $ = id => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const rows = () => all('.grid tbody tr');
  const cells = row => all('td[data-c] a', row).filter(a => a.offsetParent);
  let focus = null, states = new Map(), opened = [], left = '';

  // One tab stop for the whole grid: the newest cell of the first row, or where the visitor
  // was last. All other cells are reached with the arrow keys.
  const stop = cell => {
    all('.grid td[data-c] a[tabindex="0"]').forEach(a => { a.tabIndex = -1; });
    if (cell) cell.tabIndex = 0;
  };
  const stops = () => {
    if (document.querySelector('.grid td[data-c] a[tabindex="0"]')) return;
    const first = rows()[0];
    if (first) stop(cells(first).pop());
  };
  document.addEventListener('keydown', e => {
    const cell = e.target.closest && e.target.closest('td[data-c] a');
    if (!cell) return;
    const row = cell.closest('tr'), line = cells(row), at = line.indexOf(cell), grid = rows(), n = grid.indexOf(row);
    const beside = by => { const other = grid[n + by]; return other && cells(other)[at]; };
    const to = {
      ArrowLeft: () => line[at - 1], ArrowRight: () => line[at + 1], Home: () => line[0], End: () => line[line.length - 1],
      ArrowUp: () => beside(-1), ArrowDown: () => beside(1), Escape: () => cell.blur(),
    }[e.key];
    if (!to) return;
    const next = to();
    e.preventDefault();
    if (!next) return;
    stop(next);
    next.focus();
  });

  const stations = part => all('a, summary, [tabindex]', part);
  const remember = () => {
    const active = document.activeElement;
    const cell = active && active.closest('td[data-c] a'), row = active && active.closest('.grid tbody tr');
    const part = active && active.closest('#detail, .chart');
    focus = row ? { row: row.id, href: cell && cell.getAttribute('href') } : part && { part: part.id, at: stations(part).indexOf(active) };
    opened = all('.chart[id] details[open]').map(d => ({ id: d.closest('.chart').id, top: d.querySelector('.scroll').scrollTop }));
    states = new Map(rows().map(r => [r.id, r.dataset.s]));
  };
  const restore = () => {
    for (const { id, top } of opened) {
      const details = $(id) && $(id).querySelector('details');
      if (!details || details.open) continue;
      details.open = true;
      details.querySelector('.scroll').scrollTop = top;
    }
    const row = focus && $(focus.row), part = focus && $(focus.part);
    if (part && document.activeElement === document.body && stations(part)[focus.at]) stations(part)[focus.at].focus({ preventScroll: true });
    if (row && !row.contains(document.activeElement) && document.activeElement === document.body) {
      const line = cells(row);
      const cell = focus.href ? line.find(a => a.getAttribute('href') === focus.href) || line[0] : row.querySelector('th a');
      if (cell) {
        if (focus.href) stop(cell);
        cell.focus({ preventScroll: true });
      }
    }
    const said = rows().filter(r => states.has(r.id) && states.get(r.id) !== r.dataset.s)
      .map(r => r.querySelector('th a').textContent + ': ' + r.querySelector('.state').textContent);
    if (said.length) $('say').textContent = said.join('. ');
    stops();
    const banner = $('banner'), icon = $('icon'), shown = banner || $('detail');
    if (shown && shown.dataset.title) document.title = shown.dataset.title;
    if (shown && icon && icon.getAttribute('href') !== shown.dataset.icon) icon.href = shown.dataset.icon;
    if (!banner) return;
    // A filter by state shows other services once a state has changed.
    const filter = document.querySelector('.filter'), state = $('state');
    if (filter && state && state.value && wasBanner && wasBanner !== banner.querySelector('h1').textContent) filter.requestSubmit();
    wasBanner = banner.querySelector('h1').textContent;
  };
  let wasBanner = '';

  document.addEventListener('htmx:sse:before:message', remember);
  document.addEventListener('htmx:sse:after:message', restore);
  document.addEventListener('parts:before', remember);
  document.addEventListener('parts:after', () => {
    refold();
    restore();
  });

  // Another window of the grid, or another filter, came: the board is new, and with it the
  // link that was followed.
  document.addEventListener('htmx:before:swap', () => { left = document.activeElement && document.activeElement.closest('.windows') ? document.activeElement.id : ''; });
  document.addEventListener('htmx:after:swap', () => {
    refold();
    stops();
    if (left && $(left) && document.activeElement === document.body) $(left).focus({ preventScroll: true });
  });

  // What is folded stays folded.
  const folded = () => { try { return JSON.parse(localStorage.getItem('folded')) || []; } catch { return []; } };
  const refold = () => folded().forEach(id => { if ($(id)) $(id).open = false; });
  document.addEventListener('toggle', e => {
    const group = e.target;
    if (!group.matches || !group.matches('details.group')) return;
    const ids = folded().filter(id => id !== group.id);
    if (!group.open) ids.push(group.id);
    try { localStorage.setItem('folded', JSON.stringify(ids)); } catch { /* Private mode: not remembered. */ }
    stops();
  }, true);

  // The visitor's own time zone is one click away.
  const offer = () => {
    const form = document.querySelector('.zone'), tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!form || !tz || $('yours')) return;
    const other = $('tz').value === tz ? form.dataset.own : tz;
    if (other === $('tz').value) return;
    const link = document.createElement('button');
    link.id = 'yours';
    link.type = 'button';
    link.textContent = other === tz ? form.dataset.yours.replace('{zone}', tz) : other;
    link.addEventListener('click', () => { $('tz').value = other; form.requestSubmit(); });
    form.append(link);
  };

  const begin = () => { refold(); stops(); offer(); };
  document.addEventListener('DOMContentLoaded', begin);
  begin();
})();

// What the page does beyond htmx: says whether it is live, keeps the focus on a cell while
// its row is replaced, moves it with the arrow keys, speaks transitions, and remembers what
// the visitor has folded.
(() => {
  'use strict';
  const $ = id => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const rows = () => all('.grid tbody tr');
  const cells = row => all('td[data-c] a', row).filter(a => a.offsetParent);
  let connected = false, tried = false, heard = 0, stream = null, focus = null, states = new Map(), left = '';

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

  const remember = () => {
    const active = document.activeElement;
    const cell = active && active.closest('td[data-c] a'), row = active && active.closest('.grid tbody tr');
    focus = row && { row: row.id, href: cell && cell.getAttribute('href'), end: cell && cells(row).indexOf(cell) };
    states = new Map(rows().map(r => [r.id, r.dataset.s]));
  };
  const restore = () => {
    const row = focus && $(focus.row);
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

  // "Live" means: connected, and something was heard within two heartbeats.
  const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: 'auto', style: 'short' });
  const age = ms => ms < 90e3 ? relative.format(-Math.round(ms / 1000), 'second') : relative.format(-Math.round(ms / 60e3), 'minute');
  let offset = 0;
  const show = () => {
    const live = $('live'), banner = $('banner'), words = live && live.dataset;
    if (!live) return;
    const signal = document.querySelector('#detail .signals time'); // On a service's own page.
    const at = Date.parse(banner ? banner.dataset.at : signal ? signal.dateTime : '');
    const last = at ? words.last.replace('{ago}', age(Math.max(0, Date.now() + offset - at))) : words.none;
    const silent = Date.now() - heard > 45e3;
    const state = !tried ? 'off' : !connected ? 'again' : silent ? 'stale' : 'on';
    words.live = state;
    const text = state === 'off' ? words.connecting : words[state] + ' · ' + last;
    if (live.textContent !== text) live.textContent = text;
    // A connection can be dead without a sign, after a sleep or a change of network: end
    // it, and htmx opens another that brings what was missed.
    if (state === 'stale' && stream && stream.reader) stream.reader.cancel();
  };
  const hear = up => { tried = true; connected = up; if (up) heard = Date.now(); show(); };

  document.addEventListener('htmx:sse:before:message', remember);
  document.addEventListener('htmx:sse:after:connection', e => { stream = e.detail.connection; hear(true); });
  document.addEventListener('htmx:sse:before:connection', e => { if (e.detail.connection.attempt > 0) hear(false); });
  document.addEventListener('htmx:sse:error', () => hear(false));
  document.addEventListener('htmx:sse:after:message', () => {
    hear(true);
    restore();
    show();
    if ($('live')) $('live').dataset.pulse = $('live').dataset.pulse === '0' ? '1' : '0';
  });
  // The heartbeat carries the server's clock, so that ages are right on a wrong clock.
  document.addEventListener('beat', e => { offset = Number(e.detail.data) - Date.now() || 0; hear(true); });
  // The operator has changed what the page is made of: not all browsers load it at once.
  document.addEventListener('renew', () => setTimeout(() => location.reload(), Math.random() * 2000));
  // The first connect is an ordinary request: when it fails nobody tries again but we.
  const again = () => { hear(false); setTimeout(() => location.reload(), 5000 + Math.random() * 10000); };
  document.addEventListener('htmx:error', e => { if (!connected && !tried) again(e); });
  document.addEventListener('htmx:response:error', e => { if (!connected) again(e); });

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

  setInterval(show, 1000);
  const begin = () => { refold(); stops(); offer(); };
  document.addEventListener('DOMContentLoaded', begin);
  begin();
  show();
})();

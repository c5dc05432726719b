// What the page does beyond htmx: says whether it is live, keeps the focus on a cell while
// its row is replaced, moves it with the arrow keys, and speaks transitions.
(() => {
  'use strict';
  const $ = id => document.getElementById(id);
  const cells = row => [...row.querySelectorAll('td[data-c]')];
  let connected = false, tried = false, heard = 0, stream = null, focus = null, states = new Map();

  // One tab stop a row: the newest cell. The others are reached with the arrow keys.
  const stops = () => document.querySelectorAll('.grid tbody tr').forEach(row => {
    const all = cells(row);
    if (all.length && !all.some(c => c.tabIndex === 0)) all[all.length - 1].tabIndex = 0;
  });
  document.addEventListener('keydown', e => {
    const cell = e.target.closest && e.target.closest('td[data-c]');
    if (!cell) return;
    const all = cells(cell.parentNode), at = all.indexOf(cell);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[e.key];
    if (e.key === 'Escape') cell.blur();
    if (to === undefined || !all[to]) return;
    e.preventDefault();
    cell.tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  });

  const remember = () => {
    const cell = document.activeElement && document.activeElement.closest('td[data-c]');
    focus = cell && { row: cell.parentNode.id, time: cell.textContent.slice(0, 5) };
    const link = !cell && document.activeElement && document.activeElement.closest('.grid tbody th a');
    if (link) focus = { row: link.closest('tr').id };
    states = new Map([...document.querySelectorAll('.grid tbody tr')].map(r => [r.id, r.dataset.s]));
  };
  const restore = () => {
    const row = focus && $(focus.row);
    if (row && !row.contains(document.activeElement)) {
      const cell = focus.time ? cells(row).find(c => c.textContent.slice(0, 5) === focus.time) || cells(row)[0] : row.querySelector('th a');
      if (cell) {
        if (focus.time) cell.tabIndex = 0;
        cell.focus({ preventScroll: true });
      }
    }
    const said = [];
    document.querySelectorAll('.grid tbody tr').forEach(r => {
      if (states.has(r.id) && states.get(r.id) !== r.dataset.s) {
        said.push(r.querySelector('th a').textContent + ': ' + r.querySelector('.state').textContent);
      }
    });
    if (said.length) $('say').textContent = said.join('. ');
    stops();
    const banner = $('banner');
    if (banner && banner.dataset.title) document.title = banner.dataset.title;
  };

  // "Live" means: connected, and something was heard within two heartbeats.
  const age = ms => ms < 1500 ? 'just now' : ms < 90e3 ? Math.round(ms / 1000) + ' s ago' : Math.round(ms / 60e3) + ' min ago';
  let offset = 0;
  const show = () => {
    const live = $('live'), banner = $('banner');
    if (!live) return;
    const signal = document.querySelector('#detail time'); // On a service's own page.
    const at = Date.parse(banner ? banner.dataset.at : signal ? signal.dateTime : '');
    const last = at ? 'last signal ' + age(Math.max(0, Date.now() + offset - at)) : 'no signal yet';
    const silent = Date.now() - heard > 45e3;
    const state = !tried ? 'off' : !connected ? 'again' : silent ? 'stale' : 'on';
    live.dataset.live = state;
    const words = { off: 'connecting', again: 'Reconnecting · ' + last, stale: 'Stale · ' + last, on: 'Live · ' + last }[state];
    if (live.textContent !== words) live.textContent = words;
    // A connection can be dead without a sign, after a sleep or a change of network: end
    // it, and htmx opens another that brings what was missed.
    if (state === 'stale' && stream && stream.reader) stream.reader.cancel();
  };
  const hear = up => { tried = true; connected = up; if (up) heard = Date.now(); show(); };

  document.addEventListener('htmx:sse:before:message', remember);
  document.addEventListener('htmx:sse:after:connection', e => { stream = e.detail.connection; hear(true); });
  document.addEventListener('htmx:sse:before:connection', e => { if (e.detail.connection.attempt > 0) hear(false); });
  document.addEventListener('htmx:sse:error', () => hear(false));
  document.addEventListener('htmx:sse:after:message', () => { hear(true); restore(); show(); });
  // The heartbeat carries the server's clock, so that ages are right on a wrong clock.
  document.addEventListener('beat', e => { offset = Number(e.detail.data) - Date.now() || 0; hear(true); });
  // The first connect is an ordinary request: when it fails nobody tries again but we.
  const again = () => { hear(false); setTimeout(() => location.reload(), 5000 + Math.random() * 10000); };
  document.addEventListener('htmx:error', e => { if (!connected && !tried) again(e); });
  document.addEventListener('htmx:response:error', again);
  setInterval(show, 1000);
  document.addEventListener('DOMContentLoaded', stops);
  stops();
  show();
})();

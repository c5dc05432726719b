// What the page does beyond htmx: opens the rows that the visitor enters, keeps the focus where it is while
// parts of the page are replaced, moves it between cells with the arrow keys, speaks transitions, and remembers
// what the visitor has folded.
(() => {
  'use strict';
  const $ = id => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const rows = () => all('.grid tbody tr');
  const cells = row => all('td[data-c] a', row).filter(a => a.offsetParent);
  let focus = null, anchor = null, states = new Map(), opened = [], open = [], entering = [], left = '';

  // One tab stop for the whole grid: the picture or newest cell of the first row, or where the visitor
  // was last. All else is reached with the arrow keys.
  const entries = '.grid :is(td[data-c], td.cells) a';
  const stop = entry => {
    all(entries).forEach(a => { if (a.tabIndex === 0) a.tabIndex = -1; });
    if (entry) entry.tabIndex = 0;
  };
  const picture = row => row.querySelector('td.cells a');
  const stops = () => {
    if (document.querySelector('.grid td a[tabindex="0"]')) return;
    const first = rows()[0];
    if (first) stop(picture(first) || cells(first).pop());
  };

  // A row at rest has one picture of its cells, which is what it goes back to once neither pointer nor focus
  // are in it. While they are, its cells are links, asked for again whenever the row has changed.
  const pictures = new Map();
  let hovered = '', place = null;
  const isOpen = row => row.hasAttribute('data-open');
  const isEntered = row => row.id === hovered || row.contains(document.activeElement);
  const cellAt = (row, at) => {
    const line = cells(row);
    return at.href && line.find(a => a.getAttribute('href') === at.href) || line.at(at.end ?? Math.floor(at.share * line.length)) || line.at(-1);
  };
  const enter = async asked => {
    const id = asked.id;
    try { await swaps(); } catch { return follows(asked); }
    const entered = $(id);
    if (!entered || !isEntered(entered)) return;
    const old = entered.querySelector('td.cells');
    if (!old && !pictures.has(id)) return;
    if (old) pictures.set(id, old.cloneNode(true));
    entered.parentNode.dataset.entered = '';
    await htmx.ajax('GET', entered.querySelector('th a').pathname + '/cells?' + $('board').dataset.look, { source: entered, target: entered, swap: 'outerMorph' });
    const row = $(id); // It may be another by now: the answer says where it belongs.
    if (!row || !isOpen(row)) return;
    const was = held.row === id ? held : {};
    if (!isEntered(row) && !was.focus) return leave(row);
    const to = place && place.row === id ? place : was.href && { href: was.href, end: -1 };
    if (!to) return;
    const cell = cellAt(row, to), active = document.activeElement;
    stop(cell);
    if (to === place && active !== document.body && !row.contains(active)) return;
    if (to === place || was.focus) cell.focus({ preventScroll: true });
    place = null;
  };
  const follows = row => {
    const link = picture(row);
    if (link && place && place.click) location.href = link.href;
  };
  // Cells move on with time, and their elements don't.
  let held = {};
  document.addEventListener('htmx:before:swap', e => {
    const row = e.detail.ctx.sourceElement, entry = row.matches('.grid tbody tr') && row.querySelector('td a[tabindex="0"]');
    held = entry ? { row: row.id, href: entry.getAttribute('href'), focus: entry === document.activeElement } : {};
  });
  const leave = row => {
    const old = pictures.get(row.id);
    if (!old || !isOpen(row)) return;
    pictures.delete(row.id);
    const stopped = row.querySelector('td[data-c] a[tabindex="0"]');
    all('td[data-c]', row).forEach((td, i) => { if (i) td.remove(); else td.replaceWith(old); });
    row.removeAttribute('data-open');
    if (![...row.parentNode.children].some(isOpen)) delete row.parentNode.dataset.entered;
    if (stopped) stop(picture(row));
  };
  const others = () => [...pictures.keys()].forEach(id => {
    const row = $(id);
    if (!row) pictures.delete(id); else if (!isEntered(row)) leave(row);
  });
  // Cells move on with each minute, which a picture that stays the same does not tell.
  let minute = 0;
  const follow = () => {
    const now = Math.floor(Date.now() / 60e3);
    if (now === minute) return;
    minute = now;
    others();
    [...pictures.keys()].forEach(id => enter($(id)));
  };
  document.addEventListener('htmx:sse:after:message', follow);
  document.addEventListener('parts:after', follow);
  // Where no cells come, the link of the picture is followed as it is without this script.
  document.addEventListener('htmx:after:request', e => {
    const row = e.detail.ctx.sourceElement;
    if (e.defaultPrevented && row.matches('.grid tbody tr')) follows(row);
  });
  document.addEventListener('pointerover', e => {
    const row = e.target.closest('.grid tbody tr'), id = row && e.pointerType !== 'touch' ? row.id : '';
    if (id === hovered) return;
    hovered = id;
    others();
    if (id && !isOpen(row)) enter(row);
  });
  document.documentElement.addEventListener('pointerleave', () => { hovered = ''; others(); });
  document.addEventListener('focusin', e => {
    const row = e.target.closest('.grid tbody tr');
    others();
    if (!row || isOpen(row)) return;
    if (e.target === picture(row)) {
      if (!place || place.row !== row.id) place = { row: row.id, end: -1 };
      stop(e.target);
      enter(row);
    }
  });
  // A tap opens the row, and tells what the cell below the finger stands for. The next one follows its link.
  document.addEventListener('click', e => {
    const link = e.target.closest('td.cells a');
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    const row = link.closest('tr'), box = link.getBoundingClientRect();
    place = { row: row.id, share: e.detail ? Math.min(.999, Math.max(0, (e.clientX - box.left) / box.width)) : .999, click: true };
    if (document.activeElement === link) enter(row); else link.focus({ preventScroll: true });
  });
  document.addEventListener('keydown', e => {
    const cell = e.target.closest && e.target.closest('.grid :is(td[data-c], td.cells) a');
    if (!cell) return;
    const row = cell.closest('tr'), line = cells(row), at = line.indexOf(cell), grid = rows(), n = grid.indexOf(row);
    const share = at < 0 ? place && place.row === row.id && place.share || .999 : (at + .5) / line.length;
    const beside = by => {
      const other = grid[n + by];
      if (!other || isOpen(other)) return other && cellAt(other, { share });
      place = { row: other.id, share };
      return picture(other);
    };
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
  const remember = e => {
    // A frame names what it replaces: the rows of a large page are many, and frames come often.
    const data = e.detail && e.detail.message && e.detail.message.data;
    const touched = data ? [...data.matchAll(/hx-target="#(s-[^"]+)"/g)].map(m => $(m[1])).filter(r => r) : rows();
    const active = document.activeElement;
    const row = active && active.closest('.grid tbody tr'), part = active && active.closest('#detail, .chart');
    const cell = active && active.closest('td[data-c] a');
    focus = row ? { row: row.id, href: cell && cell.getAttribute('href'), picture: active === picture(row) } : part && { part: part.id, at: stations(part).indexOf(active) };
    // News above the grid must not move the row away that somebody is in. Once the page is scrolled, browsers see to it.
    const entered = scrollY ? null : $(hovered) || row;
    anchor = entered && { row: entered.id, top: entered.getBoundingClientRect().top };
    open = touched.filter(r => pictures.has(r.id) && isOpen(r)).map(r => ({ row: r, cells: all('td[data-c]', r) }));
    opened = ($('chart') ? all('.chart[id] details[open]', $('chart')) : []).map(d => ({ id: d.closest('.chart').id, top: d.querySelector('.scroll').scrollTop }));
    entering = touched.filter(r => r.id === hovered && !isOpen(r));
    states = new Map(touched.map(r => [r.id, r.dataset.s]));
  };
  const restore = () => {
    const entered = anchor && $(anchor.row), by = entered ? entered.getBoundingClientRect().top - anchor.top : 0;
    if (by > 0) scrollBy({ top: by, behavior: 'instant' });
    anchor = null;
    for (const { id, top } of opened) {
      const details = $(id) && $(id).querySelector('details');
      if (!details || details.open) continue;
      details.open = true;
      details.querySelector('.scroll').scrollTop = top;
    }
    // Cells stay in a row that is open until their successors are there.
    const changed = open.map(s => ({ row: $(s.row.id), cells: s.cells })).filter(s => s.row && !isOpen(s.row));
    for (const { row, cells } of changed) {
      const fresh = row.querySelector('td.cells');
      pictures.set(row.id, fresh.cloneNode(true));
      fresh.replaceWith(...cells);
      row.setAttribute('data-open', '');
    }
    open = [];
    const row = focus && $(focus.row), part = focus && $(focus.part);
    if (part && document.activeElement === document.body && stations(part)[focus.at]) stations(part)[focus.at].focus({ preventScroll: true });
    if (row && !row.contains(document.activeElement) && document.activeElement === document.body) {
      const line = cells(row);
      const cell = focus.href ? line.find(a => a.getAttribute('href') === focus.href) || line[0] : focus.picture && picture(row) || row.querySelector('th a');
      if (cell) {
        if (focus.href || focus.picture) stop(cell);
        cell.focus({ preventScroll: true });
      }
    }
    for (const row of changed.map(c => c.row).concat(entering.map(r => $(r.id)))) if (row) enter(row);
    const said = [...states].map(([id, was]) => ({ row: $(id), was })).filter(s => s.row && s.was !== s.row.dataset.s).map(s => s.row)
      .map(r => r.querySelector('th a').textContent + ': ' + r.querySelector('.state').textContent);
    const told = $('detail') && $('detail').dataset.say;
    if (told && told !== wasTold) said.push(told);
    wasTold = told;
    if (said.length) $('say').textContent = said.join('. ');
    stops();
    const banner = $('banner'), icon = $('icon'), shown = banner || $('detail');
    if (shown && shown.dataset.title) document.title = shown.dataset.title;
    if (shown && shown.dataset.icon && icon && icon.getAttribute('href') !== shown.dataset.icon) icon.href = shown.dataset.icon;
    if (!banner) return;
    // A filter by state shows other services once a state has changed.
    const filter = document.querySelector('.filter'), state = $('state');
    if (filter && state && state.value && wasBanner && wasBanner !== banner.querySelector('h1').textContent) filter.requestSubmit();
    wasBanner = banner.querySelector('h1').textContent;
  };
  let wasBanner = '', wasTold = $('detail') && $('detail').dataset.say;

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

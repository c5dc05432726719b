// The visitor's language, time zone and theme: who chooses one finds it again on the next page and the next
// visit. The choice stays in this browser; the server learns it from the address alone.
(() => {
  'use strict';
  // The page may share its host with others.
  const brand = document.querySelector('a.brand'), home = brand ? brand.pathname : '/';
  const key = 'look', names = ['lang', 'tz'];
  let kept = {};
  try { kept = JSON.parse(localStorage.getItem(key)) || {}; } catch { }
  const keep = (name, value) => {
    if (value) kept[name] = value; else delete kept[name];
    try { localStorage.setItem(key, JSON.stringify(kept)); } catch { /* Private mode: kept in links only. */ }
  };
  // What the address lacks of the choice, as an address that has it; null when nothing.
  const completed = (href, shown) => {
    const url = new URL(href, location.href);
    let changed = false;
    for (const name of names) {
      if (!kept[name] || url.searchParams.has(name) || shown && shown(name) === kept[name]) continue;
      url.searchParams.set(name, kept[name]);
      changed = true;
    }
    return changed ? url.href : null;
  };
  const themes = document.querySelectorAll('.theme button');
  const mark = () => themes.forEach(b => b.setAttribute('aria-pressed', b.value === (kept.theme || '')));
  themes.forEach(b => b.addEventListener('click', () => {
    keep('theme', b.value);
    if (b.value) document.documentElement.dataset.theme = b.value; else delete document.documentElement.dataset.theme;
    mark();
  }));
  mark();
  // What stands beside the button, to the clipboard; where browsers give none, the old way.
  document.addEventListener('click', async e => {
    const button = e.target.closest && e.target.closest('.copy');
    if (!button) return;
    const text = button.parentNode.querySelector('code');
    try { await navigator.clipboard.writeText(text.textContent); } catch {
      getSelection().selectAllChildren(text);
      if (!document.execCommand('copy')) return;
      getSelection().removeAllRanges();
    }
    const was = button.textContent, say = document.getElementById('say');
    if (was === button.dataset.copied) return;
    button.textContent = button.dataset.copied;
    if (say) say.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = was; }, 2000);
  });
  const zone = document.getElementById('tz');
  // The browser knows the names.
  if (zone) zone.addEventListener('focus', () => {
    if (Intl.supportedValuesOf) zone.list.replaceChildren(...Intl.supportedValuesOf('timeZone').map(name => new Option(name, name)));
  }, { once: true });
  if (zone && kept.wanted) { // A zone is kept when a page has come in it: there may be none of that name.
    const wanted = kept.wanted;
    keep('wanted', '');
    if (zone.value === wanted) keep('tz', wanted);
  }
  const shown = name => name === 'lang' ? document.documentElement.lang : zone ? zone.value : kept.tz;
  // Error pages are left as they are: one may say that what was kept is wrong.
  if (zone) {
    const better = completed(location.href, shown);
    if (better) return location.replace(better);
  }
  // What is swapped without a click says the same.
  for (const form of document.querySelectorAll('form.filter')) {
    for (const name of names) {
      if (!kept[name] || form.elements[name]) continue;
      const input = document.createElement('input');
      Object.assign(input, { type: 'hidden', name, value: kept[name] });
      form.append(input);
    }
  }
  document.addEventListener('click', e => {
    const link = e.target.closest && e.target.closest('a[href]');
    if (!link || link.origin !== location.origin || !link.pathname.startsWith(home)) return;
    if (link.hreflang) return keep('lang', link.hreflang);
    const better = link.getAttribute('href').startsWith('#') ? null : completed(link.href);
    if (!better) return;
    link.href = better;
    if (link.hasAttribute('hx-get')) link.setAttribute('hx-get', better);
  }, true);
  document.addEventListener('submit', e => {
    if (!e.target.matches('.zone')) return;
    const own = e.target.dataset.own, wanted = e.target.elements.tz.value.trim();
    keep('tz', '');
    keep('wanted', wanted === own ? '' : wanted);
  }, true);
})();

// In a frame on another site: tells it the height, and keeps itself fresh while somebody may see it.
(() => {
  'use strict';
  const tell = () => parent.postMessage({ type: 'statuspage:height', height: document.documentElement.offsetHeight }, '*');
  // The script of the other site may be there after the frame.
  addEventListener('message', e => { if (e.source === parent && e.data && e.data.type === 'statuspage:ask') tell(); });
  new ResizeObserver(tell).observe(document.documentElement);
  // The frame as it would be loaded now; an answer that is not ours, of a proxy or a portal, changes nothing.
  const look = () => fetch(location.href, { cache: 'no-cache', headers: { Accept: 'text/html' } }).then(r => r.ok ? r.text() : '').then(text => {
    const fresh = new DOMParser().parseFromString(text, 'text/html'), part = fresh.querySelector('.embed > main'), old = document.querySelector('main');
    if (!part || part.isEqualNode(old)) return;
    const link = old.contains(document.activeElement);
    old.replaceWith(part);
    document.title = fresh.title;
    if (link) part.querySelector('a').focus({ preventScroll: true });
  }).catch(() => {});
  const attend = () => { if (!document.hidden) look(); };
  setInterval(attend, 25000 + Math.random() * 10000);
  document.addEventListener('visibilitychange', attend);
  tell();
})();

// In a frame on another site: tells it the height, and reloads when the state has changed.
(() => {
  'use strict';
  const tell = () => parent.postMessage({ type: 'statuspage:height', height: document.documentElement.offsetHeight }, '*');
  new ResizeObserver(tell).observe(document.documentElement);
  const look = () => fetch('/status?format=json&code=200').then(r => r.json()).then(s => {
    const shown = document.querySelector('[data-s]').dataset.s;
    if (s.state && s.state !== shown) location.reload();
  }).catch(() => {});
  setInterval(() => { if (!document.hidden) look(); }, 25000 + Math.random() * 10000);
  tell();
})();

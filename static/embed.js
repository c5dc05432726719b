// A banner on your own site while something is down:
// <script src="https://status.example.com/embed.js" async></script>
// data-when="down" leaves slow out. Also gives frames of /embed their height.
(() => {
  'use strict';
  const me = document.currentScript;
  if (!me) return;
  const base = new URL('.', me.src).href.replace(/\/$/, ''), only = me.dataset.when, key = 'statuspage ' + base;
  let host = null, said = '', dismissed = '';
  // A site may forbid storage; then a page remembers for itself.
  try { dismissed = sessionStorage.getItem(key) || ''; } catch { }
  const dismiss = text => {
    dismissed = text;
    try { sessionStorage.setItem(key, text); } catch { }
  };
  const hide = () => { if (host) host.remove(); host = null; };
  const show = s => {
    hide();
    host = document.createElement('div');
    const root = host.attachShadow({ mode: 'open' });
    const css = new CSSStyleSheet();
    css.replaceSync(`:host{all:initial;display:block;flex:none;grid-column:1/-1}div{display:flex;gap:1rem;justify-content:center;align-items:center;padding:.6rem 1rem;font:600 15px/1.4 system-ui,sans-serif;color:#fff;background:${s.state === 'down' ? '#b3201e' : '#8a5600'}}a{color:inherit}button{font:inherit;color:inherit;background:none;border:1px solid;border-radius:6px;padding:.1rem .6rem;cursor:pointer}:focus-visible{outline:3px solid #fff;outline-offset:2px}`);
    root.adoptedStyleSheets = [css];
    const bar = document.createElement('div'), link = document.createElement('a'), close = document.createElement('button');
    bar.setAttribute('role', 'status');
    link.href = base + '/';
    link.textContent = said = s.headline;
    close.textContent = '×';
    close.setAttribute('aria-label', 'Close');
    close.onclick = () => { dismiss(said); hide(); };
    bar.append(link, close);
    root.append(bar);
    document.body.prepend(host);
  };
  // code=200: browsers write every 503 to the console.
  const look = () => fetch(base + '/status?format=json&code=200', { cache: 'no-store' }).then(r => r.json()).then(s => {
    if (!s.state) return; // A refusal: we know no more than before.
    const bad = s.state === 'down' || s.state === 'degraded' && only !== 'down';
    if (!bad) { if (s.state === 'up') dismiss(''); hide(); }
    else if (s.headline !== dismissed && !(host && said === s.headline)) show(s);
  }).catch(() => {});
  addEventListener('message', e => {
    if (!e.data || e.data.type !== 'statuspage:height' || e.origin !== new URL(base).origin) return;
    for (const f of document.querySelectorAll('iframe')) if (f.contentWindow === e.source) f.style.height = Math.min(2000, Number(e.data.height) || 0) + 'px';
  });
  for (const f of document.querySelectorAll('iframe')) if (f.src.startsWith(base + '/')) f.contentWindow.postMessage({ type: 'statuspage:ask' }, '*');
  setInterval(() => { if (!document.hidden) look(); }, 55000 + Math.random() * 10000);
  document.body ? look() : addEventListener('DOMContentLoaded', look);
})();

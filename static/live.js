// How the page stays fresh: one state machine. Its state is data-live of #live, said in words there.
//
//   connecting    a stream is asked for, and nothing has failed
//   on            "Live": something was heard on the stream, an event or a heartbeat; never a head alone
//   reconnecting  the stream ended or failed: another try after a pause that grows and has chance in it
//   polling       no stream passes, but the page does: fetched now and then, its parts are put in place;
//                 streams are tried all the same
//   paused        nobody sees the page: no stream, no polling. Also where it begins behind another tab,
//                 or is drawn in advance: browsers have six connections to a server, and a stream keeps one
//
// Whatever the state, a page that has heard nothing for three heartbeats (data-lost of the root) is not good news any more: it
// turns grey and says from when it is, until the next word or page.
//
// What leads where: a word on the stream to on; its end, a refusal or silence to reconnecting; from the
// second failure in a row on the page is asked for, and its coming leads to polling, its absence back;
// hiding leads to paused, showing to a try at once, as do a network that is back and a machine that slept.
// The page is loaded anew only after it was asked for and came: an error page of a proxy never replaces it.
//
// htmx comes when the page has been seen, or is touched (data-swap): it is three quarters of all script.
// hx-sse reads a stream and swaps its events; when one is asked for is decided here alone. All waits are
// made of two that the server names: of its heartbeat, and of the refresh without this script.
(() => {
  'use strict';
  const $ = id => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const ours = (answer, text) => answer.ok && (text.includes('/static/page.') || text.startsWith('<tr id="s-'));

  // What a link, form or row brings is swapped in only if it came from us.
  document.addEventListener('htmx:after:request', e => {
    const ctx = e.detail.ctx;
    if (ours(ctx.response.raw, ctx.text)) return;
    e.preventDefault();
    if ($('live') && ctx.request.headers['HX-History-Restore-Request']) renew();
  });
  const address = document.currentScript.dataset.swap;
  let asking = null;
  const seenFor = 1000, touches = ['pointerover', 'pointerdown', 'keydown', 'focusin'];
  const looked = new Promise(done => {
    const wait = () => setTimeout(done, seenFor);
    touches.forEach(touch => addEventListener(touch, done, { once: true, passive: true }));
    if (document.readyState === 'complete') wait(); else addEventListener('load', wait, { once: true });
  });
  // Is kept once it came, and rejected while it can't be had.
  globalThis.swaps = () => asking ||= looked.then(() => new Promise((done, failed) => {
    const script = document.createElement('script');
    script.src = address;
    // Behind the beginning of htmx, which waits as well.
    script.onload = () => setTimeout(done);
    script.onerror = () => { asking = null; script.remove(); failed(new Error(script.src)); };
    document.head.append(script);
  }).then(() => {
    // What was typed meanwhile nobody has heard.
    const q = $('q');
    if (q && q.value !== q.defaultValue) q.form.requestSubmit();
  }));

  if (!$('live')) {
    // Nothing is live here, but parts are swapped.
    if (address && document.querySelector('[hx-get]')) swaps().catch(() => {});
    return;
  }

  const beat = $('live').dataset.beat * 1e3, every = $('live').dataset.refresh * 1e3, second = beat / 15;
  // Until the first word, counted from the request.
  const patience = beat / 1.5;
  // Doesn't jump with the clock.
  const now = () => performance.now();
  let state = 'paused', ticked = Date.now();
  // The request of the stream that is open or asked for.
  let stream = null;
  // Of the asking: who waits for htmx may have been overtaken.
  let turn = 0;
  // What the page shows, as the server calls it.
  let seen = '';
  // The first pause, and what a refusal asks for: until then nothing makes us try.
  let told = second * (1 + Math.random()), later = 0, barred = 0;
  // Of the stream: when asked for, its first and newest word, when it is given up.
  let asked = 0, first = 0, heard = 0, deadline = 0;
  let tryAt = 0, pollAt = Infinity, polled = now(), renewing = false;
  // In a row: tries that did not lead to a stream that lasts a heartbeat.
  let failures = 0;
  // Of these, the streams that ended after their first word.
  let flaps = 0;

  const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: 'auto', style: 'short' });
  const age = ms => ms < 90e3 ? relative.format(-Math.round(ms / 1000), 'second') : relative.format(-Math.round(ms / 60e3), 'minute');
  // Of the server's clock, which heartbeats carry: ages are right on a wrong clock.
  let offset = 0;
  // When the page is given up for lost, unless something is heard until then.
  let doubt = now() + 3 * beat, grey = null;
  const believe = () => {
    doubt = now() + Math.max(3 * beat, state === 'polling' ? 2 * every : 0);
    if (!grey) return;
    delete document.documentElement.dataset.lost;
    // What a frame has replaced is right already.
    if (grey.banner.isConnected) grey.banner.replaceWith(grey.was);
    grey = null;
    show();
  };
  const despair = () => {
    const banner = $('banner') || document.createElement('p'), words = $('live').dataset;
    grey = { banner, was: banner.cloneNode(true), at: Date.now() + offset - (now() - doubt + 3 * beat), said: '' };
    document.documentElement.dataset.lost = '';
    if (banner.id) {
      grey.said = banner.querySelector('h1').textContent;
      banner.dataset.s = 'unknown';
      banner.querySelector('h1').lastChild.data = words.lost;
    }
    $('say').textContent = words.lost;
  };
  const lament = () => {
    const p = grey.banner.querySelector('p'), at = new Date(grey.at);
    if (!p) return;
    const time = at.toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' });
    const text = $('live').dataset.seen.replace('{time}', time).replace('{ago}', age(Date.now() + offset - grey.at)).replace('{said}', grey.said);
    if (p.textContent !== text) p.textContent = text;
  };
  const show = () => {
    const live = $('live'), banner = $('banner'), words = live && live.dataset;
    if (!live) return;
    // On the page of a service, or of an outage.
    const signal = document.querySelector('#detail .signals time'), detail = $('detail');
    const at = Date.parse(banner ? banner.dataset.at : signal ? signal.dateTime : detail && detail.dataset.at || '');
    const last = at ? words.last.replace('{ago}', age(Math.max(0, Date.now() + offset - at))) : words.none;
    words.live = state;
    // The page of an incident has no signals to tell of.
    const untold = $('incident-title') || !at && detail && !banner;
    const text = grey && !banner ? words.lost + ' · ' + last : state === 'connecting' || state === 'paused' ? words.connecting : words[state] + (untold ? '' : ' · ' + last);
    if (live.textContent !== text) live.textContent = text;
  };
  const become = next => { state = next; show(); };

  const open = () => {
    const element = $('stream');
    // There are more looks at the page than are kept live.
    if (!element) return;
    asked = now();
    first = heard = later = 0;
    deadline = asked + patience;
    const mine = ++turn;
    swaps().then(() => {
      if (mine !== turn || stream || state === 'paused' || !element.isConnected) return;
      deadline = now() + patience;
      htmx.ajax('GET', element.dataset.from, { source: element });
    }, () => { if (mine === turn) lost(); });
  };
  const close = () => {
    const was = stream;
    stream = null;
    if (was) was.request.abort();
  };
  const isOurs = e => stream && e.detail.ctx === stream;
  document.addEventListener('htmx:config:request', e => {
    const ctx = e.detail.ctx;
    if (ctx.sourceElement !== $('stream')) return;
    stream = ctx;
    if (seen) ctx.request.headers['Last-Event-ID'] = seen;
  });
  const refused = () => {
    const again = stream.response.raw.headers.get('Retry-After');
    if (again) later = Math.min(10 * every, 1e3 * again || Date.parse(again) - Date.now() || 0);
    // The body may never end, and is nothing to us.
    stream.request.abort();
  };
  // Of all that doesn't call itself a stream.
  document.addEventListener('htmx:before:response', e => {
    if (!isOurs(e)) return;
    e.preventDefault();
    refused();
  });
  document.addEventListener('htmx:sse:before:connection', e => { if (stream && stream.response.raw.status !== 200) refused(); });
  document.addEventListener('htmx:finally:request', e => { if (isOurs(e) && !replaced()) lost(); });

  const lost = () => {
    if (first && heard - first < beat) flaps++;
    failures++;
    close();
    const pause = failures < 2 ? told : Math.min(2 * every, told * 2 ** (failures - 1)) * (.5 + Math.random() / 2);
    tryAt = now() + pause;
    barred = now() + later;
    if (failures > 1 || later) pollAt = Math.min(pollAt, polled + every / 6);
    if (state !== 'polling') become('reconnecting');
  };

  document.addEventListener('htmx:sse:before:message', e => {
    const connection = e.detail.connection;
    // One that was let go may have a word left.
    if (!stream || stream.request.signal.aborted || connection.abortController.signal !== stream.request.signal) return e.preventDefault();
    heard = now();
    believe();
    first = first || heard;
    deadline = heard + 3 * beat;
    if (heard - first >= beat) failures = flaps = 0;
    // Where streams end again and again after their first word, the first word is no sign of life.
    if (state === 'on' || flaps > 1 && heard - first < second) return;
    if (!renewing) pollAt = Infinity;
    become('on');
  });
  document.addEventListener('htmx:sse:after:message', e => {
    seen = e.detail.message.id || seen;
    if (first) told = parseFloat(e.detail.connection.config.reconnectDelay) || told;
    show();
    if ($('live')) $('live').dataset.pulse = $('live').dataset.pulse === '0' ? '1' : '0';
  });
  document.addEventListener('beat', e => { offset = Number(e.detail.data) - Date.now() || 0; });

  // Another board came, with another stream, and the one of before means nothing.
  const replaced = () => {
    if (!stream || stream.sourceElement.isConnected) return false;
    close();
    seen = '';
    tryAt = 0;
    tick();
    return true;
  };
  document.addEventListener('htmx:after:swap', replaced);

  // The page itself, as it would be without this script.
  const poll = async () => {
    polled = now();
    pollAt = polled + every * (.8 + Math.random() * .4);
    let fresh = null;
    try {
      const answer = await fetch(location.href, { cache: 'no-cache', headers: { Accept: 'text/html' }, signal: AbortSignal.timeout(every * .8) });
      const text = await answer.text();
      if (ours(answer, text)) fresh = new DOMParser().parseFromString(text, 'text/html');
    } catch { /* No answer is as bad as a wrong one. */ }
    if (state === 'paused' || state === 'on' && !renewing) return;
    if (!fresh || !fresh.getElementById('board')) {
      if (state === 'polling') become('reconnecting');
      return;
    }
    believe();
    const other = layout(fresh);
    if (other && layout(document) && other !== layout(document)) return location.reload();
    take(fresh);
    if (renewing) lost();
    // The server is back, and with it perhaps the stream.
    else if (state === 'reconnecting' && failures > 2) tryAt = Math.min(tryAt, now() + told * Math.random());
    renewing = false;
    become('polling');
  };
  const since = page => { const s = page.getElementById('stream'); return s ? s.dataset.from.replace(/.*since=/, '') : ''; };
  const layout = page => since(page).replace(/^[^.]*\.|-.*/g, '');
  const shape = page => [page.getElementById('board').dataset.window, !!since(page), ...all('.grid tbody tr', page).map(r => r.id)].join();
  const take = fresh => {
    document.dispatchEvent(new Event('parts:before'));
    const ids = shape(fresh) === shape(document) ? all('#banner, .words, #said, #incident-title, .gs, .grid tbody tr, #detail, .chart').map(part => part.id) : ['board', 'detail'];
    for (const id of ids) {
      const old = $(id), part = fresh.getElementById(id);
      if (!old || !part || old.isEqualNode(part)) continue;
      old.replaceWith(part);
      if (globalThis.htmx) htmx.process(part);
    }
    seen = since(fresh);
    document.dispatchEvent(new Event('parts:after'));
  };
  // The operator has changed what the page is made of: not all browsers ask for it at once.
  const renew = () => {
    renewing = true;
    pollAt = now() + Math.random() * 2 * second;
  };
  document.addEventListener('renew', renew);

  const tick = () => {
    const slept = Date.now() - ticked > beat;
    ticked = Date.now();
    if (state === 'paused') return;
    if (slept) {
      doubt = Math.min(doubt, now() + 4 * second);
      return wake();
    }
    const at = now();
    if (stream && at > deadline) {
      // It had a beginning, and then was held back.
      if (first && heard - first < beat) flaps = 2;
      lost();
    } else if (!stream && at >= Math.max(tryAt, barred)) {
      tryAt = at + patience;
      open();
    } else if (state === 'on' && !first && at > asked + second) become('connecting');
    if (at >= pollAt) poll();
    if (at > doubt && !grey) despair();
    if (grey) lament();
    show();
  };
  // Whatever was open may be dead without a sign: another brings what was missed.
  const wake = () => {
    if (state === 'paused') return;
    close();
    if (state === 'on') become('reconnecting');
    tryAt = 0;
    if (failures > 1 || !$('stream')) pollAt = 0;
    tick();
  };
  const leave = () => {
    close();
    become('paused');
  };
  const attend = () => {
    if (document.hidden || document.prerendering) return leave();
    if (state !== 'paused') return;
    ticked = Date.now();
    // It may be old by now: it is given a few seconds, not three heartbeats.
    doubt = Math.min(doubt, now() + 4 * second);
    become(failures > 1 || !$('stream') ? 'polling' : 'connecting');
    wake();
  };
  document.addEventListener('visibilitychange', attend);
  document.addEventListener('prerenderingchange', attend);
  addEventListener('pagehide', leave);
  addEventListener('pageshow', attend);
  addEventListener('online', wake);
  addEventListener('offline', () => { if (stream) lost(); });
  setInterval(tick, second);
  attend();
})();

// Passkeys on the operators' pages: a button asks our server for a question, a device for the answer, and goes where the server says.
// Without scripts, or where the browser knows no passkeys, there are no such buttons, and the password does.
(() => {
  'use strict';
  const known = window.PublicKeyCredential;
  if (!known || !known.parseRequestOptionsFromJSON) return;
  const ask = async (path, body) => {
    const answer = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json' }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  };
  for (const place of document.querySelectorAll('[data-passkey]')) {
    const button = place.querySelector('button'), wrong = place.querySelector('.wrong');
    place.hidden = false;
    button.addEventListener('click', async () => {
      button.disabled = true;
      wrong.hidden = true;
      try {
        const { ticket, publicKey } = await ask(place.dataset.ask, {});
        const made = place.dataset.passkey === 'new'
          ? await navigator.credentials.create({ publicKey: known.parseCreationOptionsFromJSON(publicKey) })
          : await navigator.credentials.get({ publicKey: known.parseRequestOptionsFromJSON(publicKey) });
        const { to } = await ask(place.dataset.answer, { ticket, response: made.toJSON() });
        location.assign(to);
      } catch {
        wrong.hidden = button.disabled = false;
      }
    });
  }
})();

// Before anything is painted: the visitor's choice of light or dark (static/look.js keeps it), and that scripts run.
(() => {
  'use strict';
  const root = document.documentElement;
  root.dataset.js = '';
  try {
    const { theme } = JSON.parse(localStorage.getItem('look')) || {};
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  } catch { /* Private mode: as the system has it. */ }
})();

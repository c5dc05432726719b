(()=>{"use strict";const e=document.documentElement;e.dataset.js="";try{const{theme:t}=JSON.parse(localStorage.getItem("look"))||{};(t==="light"||t==="dark")&&(e.dataset.theme=t)}catch{}})();

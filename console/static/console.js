"use strict";
// What a page can't do by itself: shortcuts, canned replies, a sound and a notice for who waits, who is typing.

const conversation = document.body.dataset.conversation;
const $ = (selector) => document.querySelector(selector);

function counted(what) {
  const list = $("#queue .items");
  return list ? Number(list.dataset[what]) : 0;
}

let before = counted("waiting");
let overdueBefore = counted("overdue");
const title = document.title;

function entitle() {
  const now = counted("waiting");
  document.title = now ? `(${now}) ${title}` : title;
}
entitle();

// On a phone the menu is wider than the screen: where one is comes to its middle.
const here = $(".bar nav [aria-current]");
if (here) {
  const menu = here.parentElement;
  menu.scrollLeft = here.offsetLeft - menu.offsetLeft - (menu.clientWidth - here.offsetWidth) / 2;
}

function tellOfQueue() {
  const now = counted("waiting");
  const overdue = counted("overdue");
  entitle();
  if (overdue > overdueBefore) tell("Ada yang menunggu terlalu lama", `${overdue} percakapan perlu segera dibalas`);
  else if (now > before) tell("Ada warga menunggu", `${now} percakapan di antrean`);
  before = now;
  overdueBefore = overdue;
}

function tell(what, body) {
  beep();
  if (document.hidden && window.Notification && Notification.permission === "granted") {
    new Notification(what, { body, tag: "antrean" });
  }
}

let audio;
function beep() {
  if (!audio) return; // Browsers allow sound only after the first touch.
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = 660;
  volume.gain.setValueAtTime(0.08, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.4);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.4);
}

document.addEventListener("pointerdown", () => {
  audio = audio || new (window.AudioContext || window.webkitAudioContext)();
  if (window.Notification && Notification.permission === "default") Notification.requestPermission();
}, { once: true });

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "queue") tellOfQueue();
  if (event.target.id === "transcript") showLast();
});

function showLast() {
  const list = $("#transcript .transcript");
  if (list) list.scrollTop = list.scrollHeight;
}
showLast();

for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault(); // A key held down, a second tap.
    sent = true;
  });
  window.addEventListener("pageshow", () => { sent = false; });
}

let typed;
document.addEventListener("htmx:sseBeforeMessage", (event) => {
  if (event.detail.type !== "mengetik") return;
  event.preventDefault(); // It is a name, not a part of the page.
  $("#typing").textContent = `${event.detail.data} sedang mengetik …`;
  clearTimeout(typed);
  typed = setTimeout(() => { $("#typing").textContent = ""; }, 6000);
});

const absent = $("#absent");
if (absent) {
  absent.checked = localStorage.getItem("absent") === "yes";
  const tell = () => { $("#presence [name=available]").value = absent.checked ? "no" : "yes"; };
  tell();
  absent.addEventListener("change", () => { localStorage.setItem("absent", absent.checked ? "yes" : "no"); tell(); });
}

const text = $("#text");
if (text) {
  const kept = `draft ${conversation}`;
  if (location.hash === "#terkirim") {
    sessionStorage.removeItem(kept);
    history.replaceState(null, "", location.pathname + location.search);
  }
  text.value = text.value || sessionStorage.getItem(kept) || "";
  let told = 0;
  text.addEventListener("input", () => {
    sessionStorage.setItem(kept, text.value);
    if (Date.now() - told < 4000) return;
    told = Date.now();
    htmx.ajax("POST", `/console/percakapan/${conversation}/mengetik`, { swap: "none" });
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "canned" || !event.target.value) return;
    text.value = text.value ? `${text.value}\n${event.target.value}` : event.target.value;
    event.target.value = "";
    text.focus();
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey && event.target === text) return $("#reply").requestSubmit();
  if (event.ctrlKey || event.altKey || event.metaKey || /INPUT|TEXTAREA|SELECT/.test(event.target.tagName)) return;
  const links = [...document.querySelectorAll("#queue .items a")];
  const at = links.findIndex((link) => link.getAttribute("aria-current"));
  const press = {
    j: () => links[Math.min(at + 1, links.length - 1)]?.click(),
    k: () => links[Math.max(at - 1, 0)]?.click(),
    a: () => $("#claim")?.click(),
    r: () => text?.focus(),
  }[event.key];
  if (press) { event.preventDefault(); press(); }
});

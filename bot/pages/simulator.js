"use strict";

const byId = (id) => document.getElementById(id);
const messages = byId("messages");
const field = byId("text");
const picker = byId("file");
const LATER = 4000;
const AT_REST = "layanan warga Kabupaten Sidoarjo";
const SIDOARJO = { lat: -7.4478, lon: 112.7183 };

let sender = knownSender() || newSender();
let last = 0;
let attached = null;
let waiting = 0;

function knownSender() {
  return new URLSearchParams(location.search).get("sender") || sessionStorage.getItem("praja.sender");
}

function newSender() {
  const name = `hp-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
  sessionStorage.setItem("praja.sender", name);
  return name;
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function clock() {
  const now = new Date();
  const text = now.toLocaleTimeString("id-ID", { hour: "2-digit", minute: "2-digit" });
  return element("time", { dateTime: now.toISOString(), textContent: text });
}

function add(item) {
  messages.insertBefore(item, messages.querySelector(".typing"));
  messages.scrollTop = messages.scrollHeight;
  return item;
}

function addMine(text, picture = null) {
  const bubble = element("div", { className: "bubble" });
  if (picture) bubble.append(element("img", { src: picture, alt: "Foto yang Anda kirim" }));
  bubble.append(text, clock());
  return add(element("li", { className: "me" }, bubble));
}

function addNote(text) {
  add(element("li", { className: "note", textContent: text }));
}

function addReply(reply) {
  if (reply.id <= last) return;
  last = reply.id;
  disableChoices();
  const bubble = element("div", { className: "bubble" }, reply.text);
  if (reply.file) {
    const href = `${reply.file.url}?sender=${encodeURIComponent(sender)}`;
    if (reply.text) bubble.append(element("br"));
    bubble.append(element("a", { href, download: reply.file.name, textContent: `Unduh ${reply.file.name}` }));
  }
  bubble.append(clock());
  const item = element("li", { className: "bot" }, bubble);
  if (reply.choices.length) {
    const group = element("div", { className: "choices" });
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "Pilihan jawaban");
    for (const choice of reply.choices) {
      const button = element("button", { type: "button", textContent: choice.title });
      button.addEventListener("click", () => {
        disableChoices();
        button.classList.add("taken");
        addMine(choice.title);
        deliver({ choice: choice.id, title: choice.title });
        field.focus();
      });
      group.append(button);
    }
    item.append(group);
  }
  add(item);
}

function disableChoices() {
  for (const button of messages.querySelectorAll(".choices button")) button.disabled = true;
}

function showTyping(change) {
  waiting += change;
  byId("status").textContent = waiting ? "sedang mengetik…" : AT_REST;
  const shown = messages.querySelector(".typing");
  if (waiting && !shown) {
    const bubble = element("div", { className: "bubble" }, element("i"), element("i"), element("i"));
    const item = element("li", { className: "typing" }, bubble);
    item.setAttribute("aria-hidden", "true");
    messages.append(item);
    messages.scrollTop = messages.scrollHeight;
  } else if (!waiting && shown) {
    shown.remove();
  }
}

async function deliver(content) {
  const from = sender;
  showTyping(+1);
  try {
    const response = await fetch("/simulator/messages", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sender: from, ...content }),
    });
    if (from !== sender) return;
    if (response.ok) (await response.json()).replies.forEach(addReply);
    else if (response.status === 413) addNote("Berkas itu terlalu besar untuk simulator; pilih yang di bawah 30 MB.");
    else if (response.status === 504) addNote("Belum ada jawaban. Jawaban muncul di sini begitu siap.");
    else addNote("Pesan tidak terkirim. Muat ulang halaman, lalu kirim lagi.");
  } catch {
    addNote("Tidak tersambung. Periksa jaringan, lalu kirim lagi.");
  } finally {
    showTyping(-1);
  }
}

async function lookForLater() {
  const from = sender;
  try {
    const query = new URLSearchParams({ sender: from, after: String(last) });
    const response = waiting ? null : await fetch(`/simulator/messages?${query}`);
    if (response?.ok) {
      const { replies } = await response.json();
      if (from === sender) replies.forEach(addReply);
    }
  } catch {
    // The next look comes soon enough.
  }
  setTimeout(lookForLater, LATER);
}

function attach(file) {
  discard();
  if (!file) return;
  const picture = file.type.startsWith("image/") ? URL.createObjectURL(file) : null;
  attached = { file, picture };
  byId("filename").textContent = `${file.name} (${Math.max(1, Math.round(file.size / 1024)).toLocaleString("id-ID")} kB)`;
  byId("thumbnail").hidden = !picture;
  if (picture) byId("thumbnail").src = picture;
  byId("preview").hidden = false;
  field.placeholder = "Tambahkan keterangan";
  field.focus();
}

function discard() {
  attached = null;
  picker.value = "";
  byId("preview").hidden = true;
  field.placeholder = "Ketik pesan";
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

async function submit() {
  const text = field.value.trim();
  const sent = attached;
  if (!text && !sent) return;
  field.value = "";
  grow();
  disableChoices();
  if (!sent) {
    addMine(text);
    await deliver({ text });
    return;
  }
  discard();
  addMine(text || (sent.picture ? "" : sent.file.name), sent.picture);
  try {
    const data = await base64(sent.file);
    const file = { name: sent.file.name, content_type: sent.file.type || "application/octet-stream", data };
    await deliver(text ? { file, text } : { file });
  } catch {
    addNote("Berkas itu tidak bisa dibaca. Pilih berkas lain.");
  }
}

function sendPlace() {
  const send = (place) => {
    addMine(`Lokasi: ${place.lat.toFixed(4)}, ${place.lon.toFixed(4)}`);
    deliver({ location: place });
  };
  if (!navigator.geolocation || !isSecureContext) {
    send(SIDOARJO);
    return;
  }
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => send({ lat: coords.latitude, lon: coords.longitude }),
    () => send(SIDOARJO),
    { timeout: 5000 },
  );
}

function grow() {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, 128)}px`;
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  }
});
field.addEventListener("input", grow);
byId("attach").addEventListener("click", () => picker.click());
byId("place").addEventListener("click", sendPlace);
byId("discard").addEventListener("click", discard);
picker.addEventListener("change", () => attach(picker.files[0]));
byId("fresh").addEventListener("click", () => {
  sender = newSender();
  last = 0;
  discard();
  messages.replaceChildren();
  field.focus();
});
lookForLater();
field.focus();

"use strict";
// Judging by keyboard; whoever doesn't want single keys turns them off.

const shortcuts = document.querySelector("#shortcuts");
const service = document.querySelector("#service");

if (shortcuts) {
  shortcuts.checked = localStorage.getItem("review shortcuts") !== "off";
  shortcuts.addEventListener("change", () => localStorage.setItem("review shortcuts", shortcuts.checked ? "on" : "off"));
}

for (const button of document.querySelectorAll("[data-service]")) {
  button.addEventListener("click", () => { service.value = button.dataset.service; });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.key === "Escape" && event.target === service) return service.blur();
  if ((event.target.tagName === "INPUT" && event.target.type !== "checkbox") || /TEXTAREA|SELECT/.test(event.target.tagName)) return;
  if (shortcuts && !shortcuts.checked) return;
  const target = document.querySelector(`#judge [data-key="${CSS.escape(event.key)}"]`)
    || { s: document.querySelector("#skip"), u: document.querySelector("#undo") }[event.key];
  if (target) { event.preventDefault(); target.click(); }
  if (event.key === "/" && service) { event.preventDefault(); service.focus(); service.select(); }
});

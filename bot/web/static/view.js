// Messages as elements.

import { safeNodes } from "./safe_html.js";

const SVG = "http://www.w3.org/2000/svg";

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export function messageElement(message, onVote) {
  if (message.author === "system") return systemLine(message.text, message.id);
  const isReply = message.author !== "customer";
  const bubble = element("div", { class: "bubble" });
  if (isReply) bubble.append(safeNodes(message.html ?? ""));
  else bubble.append(message.text);
  return element(
    "article",
    { class: `message ${message.author}`, "data-id": message.id },
    element("p", { class: "meta" }, author(message), " ", time(message.created_at)),
    bubble,
    ...(isReply ? [sources(message.citations), votes(message, onVote)] : []),
  );
}

export function unsentElement(item) {
  return element(
    "article",
    { class: "message customer unsent", "data-unsent": item.external_id },
    element("p", { class: "meta" }, "You ", element("span", { class: "sending" }, "Sending…")),
    element("div", { class: "bubble" }, item.text),
  );
}

export function systemLine(text, id = null) {
  return element("p", { class: "system", "data-id": id }, text);
}

export function choice(text, onclick) {
  return element("button", { type: "button", class: "choice", onclick }, text);
}

function author(message) {
  const names = { customer: "You", bot: "Assistant", agent: message.name || "Support team" };
  return element("span", { class: "author" }, names[message.author]);
}

function time(iso) {
  const at = new Date(iso);
  const today = at.toDateString() === new Date().toDateString();
  const format = { hour: "numeric", minute: "2-digit", ...(today ? {} : { day: "numeric", month: "short" }) };
  return element("time", { datetime: iso, title: at.toLocaleString() }, at.toLocaleString(undefined, format));
}

function sources(citations) {
  if (!citations.length) return "";
  const items = citations.map((source, index) =>
    element(
      "li",
      {},
      element(
        "details",
        {},
        element("summary", {}, element("span", { class: "number" }, `${index + 1}`), source.title),
        passage(source),
      ),
    ),
  );
  return element("ol", { class: "sources", "aria-label": "Sources" }, ...items);
}

function passage(source) {
  const box = element("div", { class: "passage" });
  box.append(safeNodes(source.html ?? ""));
  if (/^https?:\/\//i.test(source.url ?? "")) box.append(element("p", {}, readOn(source.url)));
  return box;
}

function readOn(url) {
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, "Read it on the web");
}

function votes(message, onVote) {
  const buttons = [
    ["up", "This helped"],
    ["down", "This did not help"],
  ].map(([vote, label]) =>
    element(
      "button",
      {
        type: "button",
        "aria-label": label,
        title: label,
        "aria-pressed": String(message.vote === vote),
        "data-vote": vote,
        onclick: (event) => onVote(message, vote, event.currentTarget.parentElement),
      },
      thumb(),
    ),
  );
  return element("div", { class: "votes", role: "group", "aria-label": "Was this helpful?" }, ...buttons);
}

// Drawn, because not every machine has a font with thumbs; the style sheet turns the one that points down.
function thumb() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M7 10v10H3V10zm0 0 4-7c1.500 0 2.500 1 2.500 2.500V9H19a2 2 0 0 1 2 2.300l-1.200 7A2 2 0 0 1 17.800 20H7");
  svg.append(path);
  return svg;
}

export function showVote(group, vote) {
  for (const button of group.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.vote === vote));
  }
}

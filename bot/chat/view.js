// Messages as elements.

import { safeNodes } from "./safe_html.js";

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export function messageElement(message, { botName, onVote }) {
  if (message.author === "system") return systemLine(message.text, message.id);
  const isReply = message.author !== "customer";
  const bubble = element("div", { class: "bubble" });
  if (isReply) bubble.append(safeNodes(message.html ?? ""));
  else bubble.append(message.text);
  return element(
    "article",
    { class: `message ${message.author}`, "data-id": message.id },
    element("p", { class: "meta" }, author(message, botName), " ", time(message.created_at)),
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

function author(message, botName) {
  const names = { customer: "You", bot: botName, agent: message.name || "Support team" };
  return element("span", { class: "author" }, names[message.author]);
}

function time(iso) {
  const at = new Date(iso);
  const today = at.toDateString() === new Date().toDateString();
  const format = { hour: "2-digit", minute: "2-digit", ...(today ? {} : { day: "numeric", month: "short" }) };
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
  return box;
}

function votes(message, onVote) {
  const buttons = [
    ["up", "👍", "This helped"],
    ["down", "👎", "This did not help"],
  ].map(([vote, sign, label]) =>
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
      sign,
    ),
  );
  return element("div", { class: "votes", role: "group", "aria-label": "Was this helpful?" }, ...buttons);
}

export function showVote(group, vote) {
  for (const button of group.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.vote === vote));
  }
}

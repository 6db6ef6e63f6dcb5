// The chat page: sends what was written until it is accepted, and shows what the events say.

import { ApiError, call, follow } from "./api.js";
import { Session } from "./session.js";
import { choice, messageElement, showVote, systemLine, unsentElement } from "./view.js";

const { workspace, name, notice, maxCharacters } = document.body.dataset;
const MAX_TEXT = 20_000;
const HINT = "Enter sends, Shift + Enter starts a new line";
const page = Object.fromEntries(Array.from(document.querySelectorAll("[id]"), (found) => [found.id, found]));
const session = new Session(workspace);

const now = { status: "open", assignee: null, working: false, connected: true };
let shown = new Map(); // message id -> message
let stream = null;
let sending = false;
let unread = 0;
let stuck = true;

// --- What is shown -------------------------------------------------------------------------------------------------

function statusLine() {
  if (!workspace) return [notice, "lost"];
  if (!now.connected) {
    const kept = session.outbox.length ? "your message is kept and will be sent" : "trying again…";
    return [`Connection lost — ${kept}`, "lost"];
  }
  if (now.status === "closed") return ["This conversation is closed", "idle"];
  if (now.status === "resolved") return ["Solved — write again any time", "idle"];
  if (now.status === "assigned" && now.assignee) return [`${now.assignee} from the team is here`, "person"];
  if (now.working) return ["The desk is working…", "working"];
  if (now.status === "assigned" || now.status === "pending") return ["A person will answer you here", "waiting"];
  return [shown.size ? "Anything else? Just write" : "Ask us anything", "idle"];
}

function refresh() {
  const [text, kind] = statusLine();
  // A live region speaks at every change, so it is only touched when the words change.
  if (page["status-text"].textContent !== text) page["status-text"].textContent = text;
  page.status.dataset.kind = kind;
  const begun = shown.size > 0;
  const withPerson = now.status === "pending" || now.status === "assigned";
  page.typing.hidden = !(now.working && now.connected);
  page.person.hidden = !session.id || withPerson || now.status === "closed";
  page.solved.hidden = !begun || now.status === "resolved" || now.status === "closed";
  page.new.hidden = !begun;
  page.empty.hidden = !workspace || begun || session.outbox.length > 0;
  page.text.placeholder = now.status === "closed" ? "Write to start a new conversation…" : "Write your message…";
  showFollowUps();
}

function showFollowUps() {
  const last = Array.from(shown.values()).at(-1);
  const wanted = last && last.author === "bot" && !session.outbox.length && now.status === "open" ? last.follow_ups : [];
  const key = JSON.stringify(wanted);
  if (page["follow-ups"].dataset.key === key) return;
  page["follow-ups"].dataset.key = key;
  page["follow-ups"].replaceChildren(...wanted.map((text) => choice(text, () => write(text))));
}

function show(message) {
  if (message.internal || shown.has(message.id)) return;
  const stick = atBottom();
  shown.set(message.id, message);
  if (message.external_id) settle(message.external_id);
  const made = messageElement(message, vote);
  page.log.insertBefore(made, page.log.querySelector("[data-unsent]"));
  if (message.author !== "customer") announce();
  scroll(stick, made);
}

// A message has arrived, as its POST's answer or its event says, whichever comes first.
function settle(externalId) {
  session.remove(externalId);
  page.log.querySelector(`[data-unsent="${externalId}"]`)?.remove();
}

function line(text) {
  page.log.append(systemLine(text));
  scroll(true);
}

function say(text) {
  page.notice.textContent = text;
  page.notice.hidden = !text;
}

function atBottom() {
  return page.scroll.scrollHeight - page.scroll.scrollTop - page.scroll.clientHeight < 80;
}

// A long reply is read from its beginning.
function scroll(stick, made = null) {
  page.newer.hidden = stick || !made;
  if (!stick) return;
  requestAnimationFrame(() => {
    page.scroll.scrollTop = page.scroll.scrollHeight;
    if (made && made.offsetHeight > page.scroll.clientHeight) made.scrollIntoView({ block: "start" });
  });
}

function announce() {
  if (!document.hidden) return;
  unread += 1;
  document.title = `(${unread}) ${name}`;
}

// --- Writing -------------------------------------------------------------------------------------------------------

function write(text) {
  text = text.trim();
  if (!text || !workspace) return;
  if (text.length > MAX_TEXT) {
    say(`This is too long to send: ${text.length.toLocaleString()} of ${MAX_TEXT.toLocaleString()} characters.`);
    return;
  }
  say("");
  page.log.append(unsentElement(session.add(text)));
  scroll(true);
  refresh();
  send();
}

// Sends the kept texts one after the other; each goes out again with the same id until it is accepted.
async function send() {
  if (sending) return;
  sending = true;
  let tries = 0;
  while (session.outbox.length) {
    const item = session.outbox[0];
    try {
      await sendFirst(item);
      tries = 0;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.passing) await pause(error, (tries += 1));
      else refused(error, item);
    }
    refresh();
  }
  sending = false;
}

async function sendFirst(item) {
  if (now.status === "closed") leave();
  await ensureConversation();
  const body = { text: item.text, external_id: item.external_id };
  const taken = await call("POST", `conversations/${session.id}/messages`, { token: session.token, body });
  connected(true);
  const { external_id, text, at } = item;
  show({ id: taken.id, external_id, author: "customer", text, created_at: at, citations: [], follow_ups: [] });
}

async function ensureConversation() {
  if (session.id) return;
  const opened = await call("POST", "conversations", { body: { workspace, customer: {} } });
  session.open(opened.id, opened.customer_token);
  now.status = opened.status;
  listen();
}

function refused(error, item) {
  if ([401, 403, 404, 409].includes(error.status)) {
    // Closed, or not known here any more: the text begins a new conversation.
    if (!session.id) return giveBack(error, item);
    leave();
    line(error.status === 409 ? "The earlier conversation was closed. This is a new one." : "This is a new conversation.");
    return undefined;
  }
  return giveBack(error, item);
}

function giveBack(error, item) {
  settle(item.external_id);
  page.text.value = [item.text, page.text.value].filter(Boolean).join("\n");
  typed();
  say(`Not sent: ${error.message}`);
}

function pause(error, tries) {
  if (error.status === 0) connected(false);
  const seconds = error.retryAfter || Math.min(15, 2 ** (tries - 1));
  for (const waiting of page.log.querySelectorAll(".sending")) waiting.textContent = "Waiting to be sent…";
  return Promise.race([
    new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
    new Promise((resolve) => addEventListener("online", resolve, { once: true })),
  ]);
}

function typed() {
  page.text.style.height = "auto";
  page.text.style.height = `${page.text.scrollHeight + 2}px`;
  const length = page.text.value.length;
  const over = length > Number(maxCharacters);
  const near = length > Number(maxCharacters) * 0.8;
  page.hint.dataset.kind = over ? "over" : near ? "near" : "";
  const count = `${length.toLocaleString()} of ${Number(maxCharacters).toLocaleString()} characters`;
  page.hint.textContent = over ? `${count} — please shorten it a little` : near ? count : HINT;
  session.type(page.text.value);
}

// --- Following -----------------------------------------------------------------------------------------------------

async function listen() {
  stream?.abort();
  const mine = new AbortController();
  stream = mine;
  const { id, token } = session;
  let lastId = null;
  let tries = 0;
  const on = (event, data, eventId) => {
    if (mine.signal.aborted) return;
    lastId = eventId || lastId;
    heard(event, data);
  };
  const onOpen = () => {
    tries = 0;
    connected(true);
  };
  while (!mine.signal.aborted) {
    try {
      await follow(`conversations/${id}/events`, { token, lastId, signal: mine.signal, on, onOpen });
    } catch (error) {
      if (mine.signal.aborted) return;
      if (error instanceof ApiError && !error.passing) return lost();
    }
    if (mine.signal.aborted) return;
    connected(false);
    await pause(new ApiError(0), (tries += 1));
  }
}

function heard(event, data) {
  if (event === "state") {
    Object.assign(now, { status: data.status, assignee: data.assignee, working: data.working });
    data.messages.forEach(show);
  }
  if (event === "message") show(data);
  if (event === "status") Object.assign(now, { status: data.status, assignee: data.assignee });
  if (event === "working") now.working = data.working;
  refresh();
}

function connected(is) {
  now.connected = is;
  refresh();
}

function lost() {
  leave();
  line("Your earlier conversation is not available any more. Write to start a new one.");
  refresh();
  send();
}

// Forget the conversation; texts that wait are kept for the next one.
function leave() {
  stream?.abort();
  stream = null;
  session.leave();
  shown = new Map();
  page.log.replaceChildren(...page.log.querySelectorAll("[data-unsent]"));
  Object.assign(now, { status: "open", assignee: null, working: false });
  refresh();
}

// --- Acts ----------------------------------------------------------------------------------------------------------

async function act(path) {
  say("");
  try {
    const { status, assignee } = await call("POST", `conversations/${session.id}/${path}`, { token: session.token });
    Object.assign(now, { status, assignee });
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    say(`That did not work: ${error.message}`);
    return false;
  } finally {
    refresh();
    page.text.focus();
  }
}

async function startNew() {
  const over = now.status === "closed" || now.status === "resolved";
  if (!over && !(await confirmed())) return;
  if (now.status !== "closed" && !(await act("close"))) return;
  leave();
  page.text.focus();
}

function confirmed() {
  page.confirm.returnValue = "cancel";
  page.confirm.showModal();
  return new Promise((resolve) => {
    page.confirm.addEventListener("close", () => resolve(page.confirm.returnValue === "new"), { once: true });
  });
}

async function vote(message, wanted, group) {
  const before = message.vote;
  message.vote = wanted;
  showVote(group, wanted);
  try {
    await call("POST", "feedback", { token: session.token, body: { message_id: message.id, vote: wanted } });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    message.vote = before;
    showVote(group, before);
    say(`Your vote was not kept: ${error.message}`);
  }
}

async function suggest() {
  try {
    const { items } = await call("GET", `workspaces/${encodeURIComponent(workspace)}/suggestions`);
    page.examples.replaceChildren(...items.map((text) => choice(text, () => write(text))));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

// --- The page ------------------------------------------------------------------------------------------------------

page.composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = page.text.value;
  if (text.trim().length <= MAX_TEXT) page.text.value = "";
  write(text);
  typed();
  page.text.focus();
});
page.text.addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter belongs to it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  page.composer.requestSubmit();
});
page.text.addEventListener("input", typed);
page.person.addEventListener("click", () => act("person"));
page.solved.addEventListener("click", () => act("resolve"));
page.new.addEventListener("click", startNew);
page.newer.addEventListener("click", () => scroll(true));
page.scroll.addEventListener("scroll", () => {
  stuck = atBottom();
  if (stuck) page.newer.hidden = true;
});
// A growing text box or a phone's keyboard must not hide the newest message.
new ResizeObserver(() => {
  if (stuck) page.scroll.scrollTop = page.scroll.scrollHeight;
}).observe(page.scroll);
document.addEventListener("visibilitychange", () => {
  unread = 0;
  document.title = name;
});

page.text.disabled = page.send.disabled = !workspace;
page.text.value = session.typing;
page.log.append(...session.outbox.map(unsentElement));
typed();
refresh();
if (workspace) {
  suggest();
  if (session.id) listen();
  send();
  page.text.focus();
}

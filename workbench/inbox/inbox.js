// The inbox's script. Gradio calls it once with `element` (the skeleton of inbox.html) and `server` (refresh, act).
// The server decides what is shown and offered; this script, after live.js, puts it in place without touching what is
// being typed.
const POLL_MS = 2000;
const HIDDEN_POLL_MS = 10000;
const PAGE = 100; // Messages shown at first, and more at each "Show older".
const MOST = 5000;
const root = element.querySelector(".dh-inbox");
const box = $('[data-box="text"]');
const guidance = $('[data-box="guidance"]');
const guidanceForm = $('[data-form="reject"]');

const state = {
  selected: "", ids: [], seen: {}, acting: { mode: "empty", actions: [], text: "" }, latest: null,
  base: "", kept: "", busy: false, adopt: false, force: false, length: PAGE,
};

// What was typed per conversation: survives going elsewhere, reloading, and logging in again.
const typed = {
  all: () => { try { return JSON.parse(sessionStorage.getItem("dh-typed") || "{}"); } catch { return {}; } },
  get: (id) => typed.all()[id],
  put(id, value) {
    const all = typed.all();
    if (value) all[id] = value; else delete all[id];
    try { sessionStorage.setItem("dh-typed", JSON.stringify(all)); } catch { /* full or forbidden: the box still has it */ }
  },
};

const isDirty = () => box.value.trim() !== "" && box.value !== state.base;
const keyOf = (panel) => panel.review_id || panel.mode;
// Between a click in the queue and its answer the pane still shows the conversation before: nothing is decided then.
const isSettled = () => box.dataset.of === state.selected;

// ---- Asking for changes -------------------------------------------------------------------------------------------

const refresh = singleFlight(fetchChanges);

async function fetchChanges() {
  const asked = state.selected;
  const answer = await call(server.refresh, { selected: asked, filter: queueFilter(), seen: state.seen, length: state.length });
  if (!answer) return showOffline();
  if (answer.login) return showLoginEnded();
  if (answer.error) return showNotice(answer.error);
  if (asked !== state.selected) return void refresh();
  showNotice("");
  show(answer);
}

function queueFilter() {
  const wanted = {};
  for (const field of $$("[data-wish]")) if (field.value) wanted[field.dataset.wish] = field.value;
  return wanted;
}

async function poll() {
  if (!root.isConnected) return;
  if (!document.hidden) await refresh();
  setTimeout(poll, document.hidden || !isShown() ? HIDDEN_POLL_MS : POLL_MS);
}

// ---- Putting the answer in place ---------------------------------------------------------------------------------

function show(answer) {
  state.ids = answer.ids;
  for (const [name, html] of Object.entries(answer.parts)) if (patch(name, html)) state.seen[name] = answer.keys[name];
  markSelected();
  showPanel(answer.panel);
  // On a phone the panes are stacked: once the chosen conversation is there, bring it up.
  if (state.bringUp) $(".dh-conversation").scrollIntoView({ block: "start" });
  state.bringUp = false;
  showAges();
  const waiting = answer.ids.length;
  $(".dh-count").textContent = waiting ? `${waiting}` : "";
  if (!state.selected && !answer.selected && waiting && matchMedia("(min-width: 900px)").matches) select(state.ids[0]);
}

function patch(name, html) {
  const part = $(`[data-part="${name}"]`);
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  if (focused && focused.tagName === "SELECT") return false; // An open list would close: next time.
  const fromEnd = part.scrollHeight - part.scrollTop;
  const atEnd = fromEnd - part.clientHeight < 48;
  const openSources = $$(`[data-part="${name}"] details[open] summary`).map((summary) => summary.textContent);
  part.innerHTML = html;
  if (name === "thread") {
    const stay = state.growing && part.dataset.of === state.selected;
    // Older messages came in above: what was being read stays where it was.
    if (stay) part.scrollTop = part.scrollHeight - fromEnd;
    else if (atEnd || part.dataset.of !== state.selected) part.scrollTop = part.scrollHeight;
    state.growing = false;
    part.dataset.of = state.selected;
  }
  if (name === "choices") fillChoices(part);
  for (const details of part.querySelectorAll("details"))
    details.open = openSources.includes(details.querySelector("summary").textContent);
  if (focused && focused.dataset.id) part.querySelector(`[data-id="${focused.dataset.id}"]`)?.focus({ preventScroll: true });
  return true;
}

function fillChoices(part) {
  for (const template of part.querySelectorAll("template")) {
    const field = template.dataset.for === "intent" ? $('[data-wish="intent"]') : $('[data-do="canned"]');
    const chosen = field.value;
    while (field.options.length > 1) field.remove(1);
    field.append(template.content.cloneNode(true));
    field.value = chosen;
  }
}

function markSelected() {
  for (const item of $$(".dh-item")) {
    const current = item.dataset.id === state.selected;
    if (current) item.setAttribute("aria-current", "true"); else item.removeAttribute("aria-current");
  }
}

// ---- The right pane: whose text is in the box ----------------------------------------------------------------------

function showPanel(panel) {
  state.latest = panel;
  if (box.dataset.of !== state.selected) openEditor(panel);
  else if (keyOf(panel) === keyOf(state.acting)) state.acting = panel;
  else if (state.force) replaceDraft(panel, "What you had typed");
  else if (!isDirty() || state.adopt) takePanel(panel);
  else offerNewDraft(panel);
  state.force = false;
  drawPanel();
}

function openEditor(panel) {
  box.dataset.of = state.selected;
  guidanceForm.hidden = true;
  const before = typed.get(state.selected);
  const fits = before && before.key === keyOf(panel);
  setEditor(panel, fits ? before.text : panel.text);
  setAside(before ? both(fits ? "" : before.text, before.kept) : "", "What you had typed");
}

function setEditor(panel, text) {
  state.acting = panel;
  state.base = panel.text;
  box.value = text;
  if (panel.mode !== "review") guidanceForm.hidden = true;
}

function takePanel(panel) {
  setEditor(panel, isDirty() ? box.value : panel.text);
  state.adopt = false;
  if (slot("kept").dataset.kind === "fresh") setAside(state.kept);
  saveTyped();
}

const both = (...texts) => [...new Set(texts)].filter((text) => text && text.trim()).join("\n\n");

// The fresh draft goes into the box, what was typed stands beside it.
function replaceDraft(panel, title) {
  const text = both(isDirty() ? box.value : "", state.kept);
  setEditor(panel, panel.text);
  setAside(text, title);
  saveTyped();
}

// Something newer has arrived while the agent is typing: the box is left alone, the newer draft stands beside it.
function offerNewDraft(panel) {
  const title = panel.mode === "review" ? "The customer wrote more: here is the new draft" : panel.hint;
  slot("kept").dataset.kind = "fresh";
  slot("kept").hidden = false;
  slot("kept-title").textContent = title;
  slot("kept-text").textContent = panel.text || "(no draft)";
  $('[data-do="kept-use"]').textContent = panel.text ? "Use the new draft" : "Go on";
  $('[data-do="kept-drop"]').textContent = "Keep my text";
}

function setAside(text, title) {
  state.kept = text;
  const kept = slot("kept");
  kept.hidden = !text;
  kept.dataset.kind = "typed";
  slot("kept-title").textContent = title || "What you had typed";
  slot("kept-text").textContent = text;
  $('[data-do="kept-use"]').textContent = "Put it back";
  $('[data-do="kept-drop"]').textContent = "Discard";
}

function restoreAside() {
  if (slot("kept").dataset.kind === "fresh") replaceDraft(state.latest, "What you had typed");
  else { box.value = state.kept; setAside(""); saveTyped(); box.focus(); }
  drawPanel();
}

function discardAside() {
  const isFresh = slot("kept").dataset.kind === "fresh";
  if (isFresh) setEditor(state.latest, box.value);
  setAside(isFresh ? state.kept : "");
  saveTyped();
  drawPanel();
}

function saveTyped() {
  if (!box.dataset.of) return;
  const something = isDirty() || state.kept;
  typed.put(box.dataset.of, something ? { key: keyOf(state.acting), text: box.value, kept: state.kept } : null);
}

function drawPanel() {
  const panel = state.acting;
  root.dataset.mode = panel.mode;
  box.readOnly = !isSettled();
  slot("title").textContent = panel.title || "";
  slot("hint").textContent = panel.hint || "";
  const dirty = panel.mode === "review" && isDirty();
  $(".dh-edited").hidden = !dirty || !state.base;
  box.placeholder = panel.mode === "reply" ? "Write your reply" : "There is no draft: write the reply here";
  for (const button of $$("[data-act]")) {
    const act = button.dataset.act;
    button.hidden = !panel.actions.includes(act);
    button.disabled = state.busy || !isSettled() || (act === "approve" && dirty) || (act === "edit" && !dirty) || (act === "reply" && !box.value.trim());
  }
  $('[data-act="edit"]').classList.toggle("primary", dirty || !panel.actions.includes("approve"));
  $('[data-act="approve"]').classList.toggle("primary", !dirty);
  $(".dh-bar").hidden = !panel.actions.length;
  $(".dh-note").hidden = !state.selected || panel.title === "Closed";
}

// ---- Acting ----------------------------------------------------------------------------------------------------

async function act(kind, extra = {}) {
  if (state.busy || !state.selected || !isSettled()) return null;
  const panel = state.acting;
  const next = neighbour(1) || neighbour(-1);
  state.busy = true;
  drawPanel();
  const result = await send({ kind, conversation_id: state.selected, review_id: panel.review_id, version: panel.version, ...extra });
  state.busy = false;
  if (result) applyResult(kind, result, next);
  drawPanel();
  await refresh();
  return result;
}

async function send(request) {
  const result = await call(server.act, request);
  if (result && result.login) { showLoginEnded(); return null; }
  if (result) toast(result.text, result.ok);
  else toast("The desk did not answer, so it is not known whether this took effect. Your text is kept: look at the conversation before you try again.", false);
  return result;
}

function applyResult(kind, result, next) {
  if (result.stale) { state.force = true; return; }
  if (!result.ok) return;
  if (["approve", "edit", "reply"].includes(kind)) clearEditor();
  if (kind === "take_over") state.adopt = true;
  if (kind === "reject") { guidance.value = ""; guidanceForm.hidden = true; state.force = true; }
  if (result.advance && next) select(next);
}

function clearEditor() {
  box.value = "";
  state.base = "";
  setAside("");
  typed.put(state.selected, null);
}

function choose(kind) {
  if (kind === "reject") { guidanceForm.hidden = false; guidance.focus(); return; }
  const text = kind === "edit" || kind === "reply" ? box.value : "";
  act(kind, { text });
}

function sendEditor() {
  const kind = state.acting.mode === "reply" ? "reply" : "edit";
  if (kind === "edit" && !isDirty()) return toast("This is the bot's draft as it is: press Esc, then a, to approve it.", false);
  const button = $(`[data-act="${kind}"]`);
  if (!button.hidden && !button.disabled) choose(kind);
}

// ---- Moving ----------------------------------------------------------------------------------------------------

function select(id) {
  if (!id || id === state.selected) return;
  state.selected = id;
  state.length = PAGE;
  for (const name of ["head", "thread", "held", "evidence"]) delete state.seen[name];
  history.replaceState(null, "", `#c=${id}`);
  markSelected();
  drawPanel();
  $(`.dh-item[data-id="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "nearest" });
  state.bringUp = matchMedia("(max-width: 899px)").matches;
  refresh();
}

function neighbour(step) {
  const at = state.ids.indexOf(state.selected);
  if (at < 0) return state.ids.find((id) => id !== state.selected) || "";
  return state.ids[at + step] || "";
}

function move(step) {
  const id = state.ids.includes(state.selected) ? neighbour(step) : state.ids[0];
  if (!id) return;
  select(id);
  $(`.dh-item[data-id="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
}

// ---- Listening ---------------------------------------------------------------------------------------------------

const commands = {
  older: () => { state.length = Math.min(MOST, state.length + PAGE); state.growing = true; refresh(); },
  help: () => $(".dh-help").showModal(),
  restore: () => { box.value = state.base; saveTyped(); drawPanel(); },
  "kept-use": restoreAside,
  "kept-drop": discardAside,
  "guidance-close": () => { guidanceForm.hidden = true; },
};

root.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.id) select(button.dataset.id);
  else if (button.dataset.act) choose(button.dataset.act);
  else if (commands[button.dataset.do]) commands[button.dataset.do]();
});

root.addEventListener("input", (event) => {
  if (event.target === box) { saveTyped(); drawPanel(); }
  if (event.target.dataset.wish === "search") { clearTimeout(state.searching); state.searching = setTimeout(refresh, 200); }
});

root.addEventListener("change", (event) => {
  const field = event.target;
  if (field.dataset.wish && field.dataset.wish !== "search") refresh();
  if (field.dataset.change && field.value) { field.blur(); act(field.dataset.change, { value: field.value }); }
  if (field.dataset.do === "canned" && field.value) { insert(field.value); field.value = ""; }
});

function insert(text) {
  const gap = box.value && box.selectionStart === box.value.length && !/\s$/.test(box.value) ? "\n\n" : "";
  box.focus();
  box.setRangeText(gap + text, box.selectionStart, box.selectionEnd, "end");
  saveTyped();
  drawPanel();
}

root.addEventListener("submit", async (event) => {
  const form = event.target.dataset.form;
  if (!form) return;
  event.preventDefault();
  const field = form === "note" ? $('[data-box="note"]') : guidance;
  if (!field.value.trim()) { field.focus(); return; }
  const result = await act(form, { text: field.value, ...(form === "note" ? { review_id: "" } : {}) });
  if (result && result.ok) field.value = "";
});

const keys = {
  j: () => move(1), k: () => move(-1), e: () => box.offsetParent && box.focus(),
  n: () => $('[data-box="note"]').focus(), "/": () => $('[data-wish="search"]').focus(), "?": commands.help,
  a: () => (isDirty() ? toast("You have edited the draft: press Ctrl+Enter to send your version.", false) : press("approve")),
  r: () => press("reject"), t: () => press("take_over"),
};

function press(kind) {
  const button = $(`[data-act="${kind}"]`);
  if (!button.hidden && !button.disabled) choose(kind);
}

document.addEventListener("keydown", (event) => {
  if (!root.isConnected || !isShown() || $(".dh-help").open) return;
  const inField = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "Escape" && inField) {
    inField.blur();
    if (inField === guidance) guidanceForm.hidden = true;
    return;
  }
  if (inField === box && event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); sendEditor(); return; }
  if (inField || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

document.addEventListener("visibilitychange", () => { if (!document.hidden && root.isConnected) refresh(); });
setInterval(showAges, 15000);
const linked = /^#c=(\w+)$/.exec(location.hash);
if (linked) state.selected = linked[1];
drawPanel();
poll();

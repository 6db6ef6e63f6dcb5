// The Channels page's script. Gradio calls it once with `element` (the skeleton of channels.html) and `server`
// (refresh, act). After live.js; what is being typed stands in the skeleton, which is never made anew.
const POLL_MS = 3000;
const root = element.querySelector(".dh-channels");
const state = { seen: {}, busy: false, toConfirm: null };

const refresh = singleFlight(fetchChanges);

async function fetchChanges() {
  const answer = await call(server.refresh, { seen: state.seen });
  if (!answer) return showOffline();
  if (answer.login) return showLoginEnded();
  if (answer.error) return showNotice(answer.error);
  showNotice("");
  for (const [name, html] of Object.entries(answer.parts)) if (patch(name, html)) state.seen[name] = answer.keys[name];
  showTimes();
}

function patch(name, html) {
  const part = $(`[data-part="${name}"]`);
  if (part.querySelector("select:focus")) return false; // An open list would close: next time.
  const focused = part.contains(document.activeElement) ? document.activeElement.dataset.key : "";
  part.innerHTML = html;
  if (focused) part.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  if (name === "choices") fillChoices(part.querySelector("template"));
  return true;
}

function fillChoices(template) {
  const field = $("[data-choices]");
  const chosen = field.value;
  field.replaceChildren(template.content.cloneNode(true));
  field.value = chosen;
  if (field.selectedIndex < 0) field.selectedIndex = 0;
}

function showTimes() {
  for (const time of $$("time")) {
    const at = new Date(time.dateTime);
    const ago = age((Date.now() - at) / 1000);
    time.title = at.toLocaleString();
    time.textContent = `${ago === "now" ? "just now" : `${ago} ago`} · ${clock(at, Date.now())}`;
  }
}

async function act(kind, extra) {
  if (state.busy) return null;
  state.busy = true;
  const result = await call(server.act, { kind, ...extra });
  state.busy = false;
  if (!result) toast("The desk did not answer: look at the list before you try again.", false);
  else if (result.login) showLoginEnded();
  else if (result.url) showInstallLink(result.url);
  else toast(result.text, result.ok);
  state.seen = {}; // Also what was refused is shown as it is.
  await refresh();
  return result;
}

function showInstallLink(url) {
  slot("invitation").hidden = false;
  slot("link").value = url;
  slot("open").href = url;
}

// The row's own id, and what its controls say now.
function rowOf(control) {
  const row = control.closest("tr").querySelector("[data-channel]");
  return { channel: row.dataset.channel, where: row.dataset.where };
}

function changePlace(control) {
  const row = control.closest("tr");
  const mode = row.querySelector("[data-mode]").value;
  control.blur();
  act("set_place", { ...rowOf(control), mode, is_staff: row.querySelector("[data-staff]").checked });
}

function askToConfirm(button) {
  state.toConfirm = { kind: button.dataset.remove, ...rowOf(button) };
  slot("sure-title").textContent = button.dataset.title;
  slot("sure-text").textContent = button.dataset.text;
  $("dialog").showModal();
}

const commands = {
  sure: () => { $("dialog").close(); const { kind, ...extra } = state.toConfirm; act(kind, extra); },
  keep: () => $("dialog").close(),
  invite: () => act("invite", {}),
  copy: async () => {
    slot("link").select();
    try { await navigator.clipboard.writeText(slot("link").value); } catch { document.execCommand("copy"); }
    toast("Copied.", true);
  },
};

root.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.remove) askToConfirm(button);
  else if (commands[button.dataset.do]) commands[button.dataset.do]();
});

root.addEventListener("change", (event) => {
  if (event.target.matches("[data-mode], [data-staff]")) changePlace(event.target);
  if (event.target.name === "channel") showExamples();
});

root.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.form) return;
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(form));
  if ("is_staff" in fields) fields.is_staff = true;
  const result = await act(form.dataset.form, fields);
  if (result && result.ok) for (const field of form.querySelectorAll("input")) { field.value = field.type === "checkbox" ? field.value : ""; field.checked = false; }
});

function showExamples() {
  for (const form of $$("form[data-form]")) {
    const field = form.querySelector("[data-examples]");
    field.placeholder = field.dataset.examples.split("|")[form.elements.channel.value === "slack" ? 0 : 1];
  }
}

let wasShown = false;
async function poll() {
  if (!root.isConnected) return;
  const shown = isShown() && !document.hidden;
  if (shown && (!wasShown || Date.now() - state.at > POLL_MS)) { await refresh(); state.at = Date.now(); }
  wasShown = shown;
  setTimeout(poll, 300);
}

showExamples();
poll();

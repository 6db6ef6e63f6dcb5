// What the pages that refresh themselves share: one request at a time, notices, ages. The page's own script comes after
// it and names its `root`, which has a `[data-slot="news"]` for lasting notices and `.dh-toasts` for short ones.
const $ = (selector) => root.querySelector(selector);
const $$ = (selector) => [...root.querySelectorAll(selector)];
const slot = (name) => $(`[data-slot="${name}"]`);
const isShown = () => root.offsetParent !== null;

// Gradio gives undefined, or throws, when the server cannot be reached or refuses.
async function call(serverFunction, request) {
  try { return (await serverFunction(request)) || null; } catch { return null; }
}

// Single flight: asked again while a request is under way, it is sent once more after it.
function singleFlight(send) {
  let running = null;
  let again = false;
  async function run() {
    if (running) { again = true; return running; }
    running = send();
    try { await running; } finally { running = null; }
    if (again) { again = false; return run(); }
  }
  return run;
}

async function showOffline() {
  const check = await fetch("gradio_api/login_check", { cache: "no-store" }).catch(() => null);
  if (check && check.status === 401) return showLoginEnded();
  showNotice("The desk does not answer; trying again. Customers' messages wait safely, and what you type is kept.");
}

function showLoginEnded() {
  showNotice("Your login has ended. What you typed is kept in this tab.", { text: "Log in again", href: "login" });
}

function showNotice(text, link) {
  const place = slot("news");
  place.hidden = !text;
  place.textContent = text;
  if (text && link) {
    const anchor = document.createElement("a");
    anchor.href = link.href; anchor.textContent = link.text;
    place.append(" ", anchor);
  }
}

function toast(text, ok) {
  for (const older of $$(".dh-toast").slice(0, -1)) older.remove();
  const note = document.createElement("div");
  note.className = `dh-toast ${ok ? "ok" : "danger"}`;
  note.textContent = text;
  note.addEventListener("click", () => note.remove());
  $(".dh-toasts").append(note);
  setTimeout(() => note.remove(), ok ? 4000 : 10000);
}

// ---- Times -------------------------------------------------------------------------------------------------------

function showAges() {
  const now = Date.now();
  for (const time of root.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    time.title = at.toLocaleString();
    time.textContent = time.classList.contains("dh-clock") ? clock(at, now) : age((now - at) / 1000);
  }
}

function age(seconds) {
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

function clock(at, now) {
  const hours = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const today = new Date(now).toDateString() === at.toDateString();
  return today ? hours : `${at.toLocaleDateString([], { day: "numeric", month: "short" })}, ${hours}`;
}


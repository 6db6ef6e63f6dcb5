// The REST interface, and the conversation's events read with fetch, so that the token stays out of every URL.

const API = new URL("api/v1/", document.baseURI);
const SILENCE_MS = 40_000; // the server pings every 15 s

// An answer that is not a success. `status` 0: the server was not reached.
export class ApiError extends Error {
  constructor(status, problem, retryAfter) {
    super(problem?.detail || problem?.title || "The server could not be reached.");
    this.status = status;
    this.retryAfter = retryAfter;
  }

  // Whether the same request may work later.
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export async function call(method, path, { token, body } = {}) {
  const response = await reach(path, {
    method,
    headers: { ...(body ? { "Content-Type": "application/json" } : {}), ...bearer(token) },
    body: body ? JSON.stringify(body) : undefined,
  });
  return response.json();
}

// Calls `on(name, data)` for each event until the connection ends; gives the last event's id.
export async function follow(path, { token, lastId, signal, on, onOpen }) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const response = await reach(path, {
    headers: { Accept: "text/event-stream", ...bearer(token), ...(lastId ? { "Last-Event-ID": lastId } : {}) },
    signal: AbortSignal.any([signal, silence.signal]),
    cache: "no-store",
  });
  onOpen();
  try {
    for await (const event of events(response.body)) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      if (event.data) on(event.name, JSON.parse(event.data), event.id);
    }
  } finally {
    clearTimeout(timer);
  }
}

async function reach(path, options) {
  let response;
  try {
    response = await fetch(new URL(path, API), { credentials: "omit", ...options });
  } catch {
    throw new ApiError(0);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => null);
  throw new ApiError(response.status, problem, Number(response.headers.get("Retry-After")) || 0);
}

function bearer(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) yield parsed(block);
  }
}

function parsed(block) {
  const fields = { event: "message", data: [], id: "" };
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const [name, text] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
    if (name === "data") fields.data.push(text);
    else if (name === "event" || name === "id") fields[name] = text;
  }
  return { name: fields.event, data: fields.data.join("\n"), id: fields.id };
}

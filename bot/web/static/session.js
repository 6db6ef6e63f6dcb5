// What this browser keeps: the conversation, its token, texts not yet accepted, and what is being typed.

const EMPTY = { id: null, token: null, outbox: [], typing: "" };

export class Session {
  constructor(workspace) {
    this.key = `deskhand:${workspace}`;
    this.state = { ...EMPTY, ...this.#read() };
  }

  get id() { return this.state.id; }
  get token() { return this.state.token; }
  get outbox() { return this.state.outbox; }
  get typing() { return this.state.typing; }

  open(id, token) { this.#set({ id, token }); }

  // Forget the conversation but not the texts that still wait to be sent.
  leave() { this.#set({ id: null, token: null }); }

  type(typing) { this.#set({ typing }); }

  add(text) {
    const item = { external_id: randomId(), text, at: new Date().toISOString() };
    this.#set({ outbox: [...this.outbox, item], typing: "" });
    return item;
  }

  remove(externalId) {
    this.#set({ outbox: this.outbox.filter((item) => item.external_id !== externalId) });
  }

  #read() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) ?? {};
    } catch {
      return {}; // blocked or damaged storage: the chat works, but does not outlive this page
    }
  }

  #set(change) {
    this.state = { ...this.state, ...change };
    try {
      localStorage.setItem(this.key, JSON.stringify(this.state));
    } catch {
      // as above
    }
  }
}

// crypto.randomUUID is missing on plain-http pages other than localhost.
function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

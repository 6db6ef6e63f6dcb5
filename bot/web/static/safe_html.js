// The server renders replies with raw HTML switched off; here only known elements are rebuilt, node by node.

const ALLOWED = new Set([
  "P", "BR", "STRONG", "EM", "S", "CODE", "PRE", "UL", "OL", "LI", "A", "BLOCKQUOTE", "HR",
  "H1", "H2", "H3", "H4", "H5", "H6", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD",
]);

export function safeNodes(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const fragment = document.createDocumentFragment();
  fragment.append(...copies(parsed.body.childNodes));
  return fragment;
}

function copies(nodes) {
  return Array.from(nodes).flatMap((node) => {
    if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode(node.data)];
    if (node.nodeType !== Node.ELEMENT_NODE || !ALLOWED.has(node.tagName)) return [];
    const copy = document.createElement(node.tagName);
    if (node.tagName === "A") link(copy, node.getAttribute("href") ?? "");
    if (node.tagName === "OL" && node.start > 1) copy.start = node.start;
    copy.append(...copies(node.childNodes));
    return [copy];
  });
}

function link(copy, href) {
  if (!/^https?:\/\//i.test(href)) return;
  copy.href = href;
  copy.target = "_blank";
  copy.rel = "noopener noreferrer";
}

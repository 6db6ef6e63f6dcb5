// The bar at the top: light or dark, the other workspace, and leaving.
const storedTheme = () => { try { return localStorage.getItem("dh-theme"); } catch { return null; } };
const setDark = (dark) => document.body.classList.toggle("dark", dark);
if (storedTheme()) setDark(storedTheme() === "dark");

const forgetTyped = () => { try { sessionStorage.removeItem("dh-typed"); } catch { /* nothing was kept */ } };

element.addEventListener("click", (event) => {
  const command = event.target.closest("[data-do]")?.dataset.do;
  if (command === "logout") forgetTyped();
  if (command !== "theme") return;
  const dark = !document.body.classList.contains("dark");
  setDark(dark);
  try { localStorage.setItem("dh-theme", dark ? "dark" : "light"); } catch { /* it lasts until the next load */ }
});

element.addEventListener("change", (event) => {
  if (event.target.dataset.do !== "switch") return;
  forgetTyped();
  event.target.form.submit();
});

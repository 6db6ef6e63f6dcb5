// The bar at the top: light or dark, the other workspace, and leaving.
const wanted = () => { try { return localStorage.getItem("dh-theme"); } catch { return null; } };
const dress = (dark) => document.body.classList.toggle("dark", dark);
if (wanted()) dress(wanted() === "dark");

const forgetTyped = () => { try { sessionStorage.removeItem("dh-typed"); } catch { /* nothing was kept */ } };

element.addEventListener("click", (event) => {
  const doing = event.target.closest("[data-do]")?.dataset.do;
  if (doing === "logout") forgetTyped();
  if (doing !== "theme") return;
  const dark = !document.body.classList.contains("dark");
  dress(dark);
  try { localStorage.setItem("dh-theme", dark ? "dark" : "light"); } catch { /* it lasts until the next load */ }
});

element.addEventListener("change", (event) => {
  if (event.target.dataset.do !== "switch") return;
  forgetTyped();
  event.target.form.submit();
});

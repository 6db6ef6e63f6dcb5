// Times in the tables, after live.js: shown as ages, exact on hover.
const show = () => {
  for (const time of element.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    time.title = at.toLocaleString();
    time.textContent = age((Date.now() - at) / 1000);
  }
};
show();
watch("value", show);

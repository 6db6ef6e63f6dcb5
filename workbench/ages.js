// Times in the tables: shown as ages, exact on hover.
const words = (seconds) =>
  seconds < 60 ? "now" : seconds < 3600 ? `${Math.floor(seconds / 60)} min` : seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
const show = () => {
  for (const time of element.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    time.title = at.toLocaleString();
    time.textContent = words((Date.now() - at) / 1000);
  }
};
show();
watch("value", show);

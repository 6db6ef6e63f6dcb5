// Posts each chosen file to the desk's own route, then shows the newest document: the event gets its id, never a path.
const input = element.querySelector('input[type=file]');
const notes = element.querySelector('[role=status]');

function note(text) {
  const line = document.createElement('p');
  line.className = 'dh-alert';
  line.textContent = text;
  notes.append(line);
}

async function refusal(answer) {
  if (answer.status === 401) return 'Your login has ended: load the page again and log in.';
  try {
    return (await answer.json()).detail;
  } catch {
    return `the desk answered ${answer.status}.`;
  }
}

async function upload(file) {
  const form = new FormData();
  form.append('file', file);
  try {
    const answer = await fetch('workbench/documents', { method: 'POST', body: form });
    if (answer.ok) return (await answer.json()).id;
    note(`${file.name} was not loaded: ${await refusal(answer)}`);
  } catch {
    note(`${file.name} was not loaded: the desk cannot be reached.`);
  }
  return null;
}

input.addEventListener('change', async () => {
  const files = [...input.files];
  notes.replaceChildren();
  input.disabled = true;
  let newest = null;
  for (const file of files) newest = (await upload(file)) ?? newest;
  input.value = '';
  input.disabled = false;
  if (newest) trigger('click', { id: newest });
});

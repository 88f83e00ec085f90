// What the page asks of its server, and what the server tells it.

const stored = sessionStorage.getItem('page');
export const page = stored || Array.from(crypto.getRandomValues(new Uint32Array(4)), n => n.toString(16)).join('');
sessionStorage.setItem('page', page);

export async function ask(method, path, body, type = 'application/json') {
  const headers = { 'x-studio': page };
  if (body !== undefined) headers['content-type'] = type;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body });
  } catch {
    throw new Error('The studio does not answer. Is it still running in the terminal?');
  }
  if (!answer.ok) throw new Error((await answer.text()).trim() || `error ${answer.status}`);
  return answer;
}

export const get = async path => (await ask('GET', path)).json();
export const send = async (method, path, value) => {
  const answer = await ask(method, path, value === undefined ? undefined : JSON.stringify(value));
  return answer.status === 204 ? null : answer.json();
};

// A picture of the person's, its bytes as they are; the id that it has in the album.
export const give = async (blob, mask = false) => (await (await ask('PUT', `/api/pictures${mask ? '?mask' : ''}`, blob, 'application/octet-stream')).json()).id;

const waiting = new Map(); // id of a job -> what waits for its end
const listeners = new Set();
export const told = { jobs: [], others: 0, album: -1, connected: false };
export const listen = call => listeners.add(call);

let connected;
const first = new Promise(resolve => { connected = resolve; });
let source = null;

function hear(event) {
  Object.assign(told, JSON.parse(event.data), { connected: true });
  connected();
  for (const job of told.jobs) {
    const wait = waiting.get(job.id);
    if (!wait) continue;
    if (job.state === 'done') { waiting.delete(job.id); wait.resolve(job.result); }
    if (job.state === 'failed') { waiting.delete(job.id); wait.reject(new Error(job.error)); }
  }
  for (const call of listeners) call(told);
}

export function connect() {
  if (source) return;
  source = new EventSource(`/api/events?page=${page}`);
  source.onmessage = hear;
  source.onerror = () => {
    if (!source) return;
    told.connected = false;
    for (const call of listeners) call(told);
    if (source.readyState === EventSource.CLOSED) { source = null; setTimeout(connect, 3000); }
  };
}

// A browser has six connections for all pages of a server: only those that are looked at hold one.
document.addEventListener('visibilitychange', async () => {
  if (document.visibilityState === 'visible') { connect(); return; }
  await send('PUT', '/api/page').catch(() => {});
  if (document.visibilityState !== 'visible') { source?.close(); source = null; }
});
addEventListener('pagehide', () => {
  fetch('/api/page', { method: 'DELETE', headers: { 'x-studio': page }, keepalive: true }).catch(() => {});
});

// Runs a tool: {tool, model, inputs, flags}. Gives its result, or throws one line.
export async function job(asked) {
  await first;
  const { id } = await send('POST', '/api/jobs', asked);
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    const known = told.jobs.find(j => j.id === id);
    if (known?.state === 'done') { waiting.delete(id); resolve(known.result); }
    if (known?.state === 'failed') { waiting.delete(id); reject(new Error(known.error)); }
  });
}

export const stop = id => send('DELETE', `/api/jobs/${id}`);

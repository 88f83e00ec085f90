// The frame of the page: screens by the address, the model, what is being done.

import { connect, listen, stop, told } from './server.js';
import { state, load, loadAlbum, choose, modelNow } from './state.js';
import { h, say, tell } from './parts.js';

const NAMES = ['home', 'sample', 'breed', 'shape', 'mine', 'repair', 'style', 'translate', 'taste', 'album', 'watch'];
const screens = Object.fromEntries(await Promise.all(NAMES.map(async name => [name, (await import(`./screens/${name}.js`)).default])));
const main = document.getElementById('main');
const select = document.getElementById('model');
let leave = null;

function nav(current) {
  document.getElementById('nav').replaceChildren(h('span', { className: 'brand' }, 'gan_vae studio'),
    ...NAMES.map(name => h('a', { href: `#/${name}`, 'aria-current': name === current ? 'page' : null }, screens[name].title)));
}

async function show() {
  const [name, id] = location.hash.replace(/^#\//, '').split('/');
  const current = screens[name] ? name : 'home';
  select.value = state.model;
  says();
  leave?.();
  leave = null;
  say('');
  nav(current);
  document.title = `${screens[current].title} · gan_vae studio`;
  document.querySelector('.model').hidden = screens[current].noModel === true;
  const root = h('div', {});
  main.replaceChildren(root);
  document.getElementById('viewer').close();
  document.querySelector('#nav [aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' });
  leave = await tell(() => screens[current].show(root, id)) || null;
}

function jobs() {
  const shown = told.connected ? told.jobs.filter(j => j.state === 'running' || j.state === 'waiting') : [];
  const others = told.connected && told.others ? [h('div', { className: 'job' }, h('span', {}, `${told.others} of another tab `))] : [];
  document.getElementById('jobs').replaceChildren(...others, ...shown.map(job => {
    const bar = h('progress', job.of ? { max: job.of, value: job.at } : {});
    const what = job.stopping ? 'stopping' : job.state === 'waiting' ? 'waiting' : job.what;
    const count = job.of ? ` ${job.at} of ${job.of}` : '';
    return h('div', { className: 'job' }, h('span', {}, `${job.tool === 'open' ? 'opening the model' : job.tool}${what ? `: ${what}` : ''}${count}`), bar,
      h('button', { type: 'button', disabled: job.stopping, onclick: () => tell(() => stop(job.id)) }, 'Stop'));
  }));
}

let album = -1;
listen(async () => {
  if (!told.connected) { say('The studio does not answer. It may have ended: start it again with gan_vae studio.'); jobs(); return; }
  if (document.getElementById('notice').textContent.startsWith('The studio does not answer')) say('');
  jobs();
  if (album >= 0 && told.album !== album) {
    await loadAlbum();
    document.dispatchEvent(new Event('album'));
  }
  album = told.album;
});

select.addEventListener('change', () => { choose(select.value); says(); show(); });
function says() {
  document.getElementById('model-says').textContent = modelNow()?.says || '';
}

connect();
await tell(load);
const named = (of, label) => of.length ? h('optgroup', { label }, of.map(m => h('option', { value: m.id, selected: m.id === state.model }, m.name))) : '';
select.append(named(state.models.filter(m => !m.shipped), 'Your runs'), named(state.models.filter(m => m.shipped), 'With the package'));
addEventListener('hashchange', show);
await show();

// The parts that screens are made of. Text only ever becomes text: nothing is parsed as HTML.

import { give, job } from './server.js';
import { state, keep, make, modelOf, resultOf, about, choose, loadAlbum } from './state.js';

// An element: h('p', {class: 'quiet', onclick}, 'text', child, [children]).
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key in element && key !== 'list') element[key] = value;
    else element.setAttribute(key === 'className' ? 'class' : key, value === true ? '' : value);
  }
  element.append(...children.flat(9).filter(c => c !== null && c !== undefined && c !== false));
  return element;
}
h.div = (name, ...children) => h('div', { className: name }, ...children);

export const url = (id, side) => `/files/${id}${side ? `?side=${side}` : ''}`;
const SMALL = 200; // pixels of a picture below which its pixels are shown as squares

export function image(picture, side = 256, alt = '') {
  const large = Math.max(picture.width, picture.height) > side;
  const small = Math.max(picture.width, picture.height) < SMALL;
  return h('img', {
    src: url(picture.id, large ? side : 0), alt: alt || describe(picture), loading: 'lazy', draggable: false,
    className: small ? 'small-picture' : '',
  });
}

export function describe(picture) {
  const of = resultOf(picture.id);
  const words = [picture.prompt || picture.class, of && of.tool !== 'given' ? `made by ${of.tool}` : 'a given picture'];
  return words.filter(Boolean).join(', ');
}

// A picture in a grid. onclick: by default it is looked at closely.
export function tile(picture, { onclick, chosen, label, hearts = true } = {}) {
  const heart = hearts && h('button', {
    className: 'keep', type: 'button', title: 'Keep', 'aria-label': 'Keep this picture', 'aria-pressed': String(state.kept.has(picture.id)),
    onclick: async event => {
      const keeps = !state.kept.has(picture.id);
      await tell(() => keep(picture.id, keeps));
      event.target.closest('button').setAttribute('aria-pressed', String(state.kept.has(picture.id)));
    },
  }, '♥');
  return h('div', { className: `tile${chosen ? ' chosen' : ''}` },
    h('button', { type: 'button', title: describe(picture), 'aria-pressed': chosen === undefined ? null : String(chosen), onclick: onclick || (() => look(picture)) }, image(picture)),
    heart, label && h('small', {}, label));
}

export const grid = (pictures, options = {}) =>
  h.div(`grid ${options.size || ''}`, pictures.map((p, n) => tile(p, { ...options, label: options.labels?.[n], onclick: options.onpick && (() => options.onpick(p, n)) })));

const notice = () => document.getElementById('notice');
export function say(text) {
  notice().textContent = text;
  notice().hidden = !text;
  if (text) notice().scrollIntoView({ block: 'nearest' });
}

// Does something; what goes wrong is said in a line.
export async function tell(work) {
  say('');
  try {
    return await work();
  } catch (error) {
    if (error.message !== 'stopped before it began') say(error.message);
    return undefined;
  }
}

// A button that works until what it started has ended.
export function button(text, work, className = 'main') {
  const element = h('button', {
    type: 'button', className,
    onclick: async () => {
      element.disabled = true;
      await tell(work);
      element.disabled = false;
      element.dispatchEvent(new Event('ended')); // who made it may close it again
    },
  }, text);
  return element;
}

// A control of a flag: {element, value()}. `set` may change what the server says of it.
export function field(flag, title, set = {}) {
  const spec = { ...flag, ...set };
  let input, shown = null;
  const initial = spec.value ?? spec.default;
  if (spec.kind === 'switch') {
    input = h('input', { type: 'checkbox', checked: Boolean(initial), onchange: spec.onchange });
    return { element: h('label', { className: 'check', title: spec.help }, input, title), value: () => input.checked };
  }
  if (spec.choices?.length) {
    const pairs = spec.choices.map(c => Array.isArray(c) ? c : [c, c]);
    input = h('select', { onchange: spec.onchange }, pairs.map(([value, text]) => h('option', { value, selected: value === initial }, text)));
  } else if (spec.range) {
    const [min, max, step] = spec.range;
    shown = h('output', {}, initial ?? spec.empty ?? '');
    input = h('input', { type: 'range', min, max, step, value: initial ?? spec.at ?? min });
    input.addEventListener('input', () => { input.dataset.set = 'yes'; shown.textContent = input.value; spec.onchange?.(); });
  } else if (spec.lines) {
    input = h('textarea', { rows: spec.lines, value: initial ?? '', placeholder: spec.empty || '', onchange: spec.onchange });
  } else {
    input = h('input', { type: spec.kind === 'text' ? 'text' : 'number', value: initial ?? '', placeholder: spec.empty || '', step: spec.kind === 'whole' ? 1 : 'any', autocomplete: 'off', onchange: spec.onchange });
  }
  input.setAttribute('aria-label', title); // a label's first output would take it
  const value = () => {
    if (spec.range && initial === null && !input.dataset.set) return null;
    return input.value.trim() === '' ? null : input.value.trim();
  };
  const element = h('label', { className: 'field', title: spec.help }, h('span', {}, title, shown), input);
  return { element, value, input };
}

export const values = fields => Object.fromEntries(Object.entries(fields).map(([name, f]) => [name, f.value()]).filter(([, v]) => v !== null && v !== ''));

export function seedField() {
  const input = h('input', { type: 'number', value: 0, min: 0, max: 4294967295, step: 1, 'aria-label': 'Seed' });
  const another = () => { input.value = Math.floor(Math.random() * 1e6); };
  const dice = h('button', { type: 'button', title: 'Another seed', 'aria-label': 'Another seed', onclick: another }, '⟳');
  return { element: h('div', { className: 'field' }, h('span', {}, 'Seed'), h.div('row', h('div', { className: 'grow' }, input), dice)), value: () => input.value || 0, another };
}

export const more = (title, ...children) => h('details', {}, h('summary', {}, title), h.div('stack', children));

// A place to drop a picture on, or to choose or paste one. ongiven: with its id.
export function drop(ongiven, { text = 'Drop a picture here, paste one, or choose a file', many = false, compact = false } = {}) {
  const input = h('input', { type: 'file', accept: 'image/png,image/jpeg,image/webp', multiple: many, hidden: true });
  const take = files => tell(async () => {
    for (const file of [...files].slice(0, many ? 16 : 1)) {
      const id = await give(file);
      await loadAlbum();
      await ongiven(id);
    }
  });
  input.addEventListener('change', () => { take(input.files); input.value = ''; });
  const zone = h('div', {
    className: `drop${compact ? ' compact' : ''}`, tabIndex: 0, role: 'button',
    onclick: () => input.click(),
    onkeydown: event => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); input.click(); } },
    ondragover: event => { event.preventDefault(); zone.classList.add('over'); },
    ondragleave: () => zone.classList.remove('over'),
    ondrop: event => { event.preventDefault(); zone.classList.remove('over'); take(event.dataTransfer.files); },
  }, h('p', {}, text), compact ? null : h('small', {}, 'PNG, JPEG or WebP. It stays on this machine.'), input);
  zone.take = take;
  return zone;
}
document.addEventListener('paste', event => {
  const zone = document.querySelector('.drop');
  if (zone && event.clipboardData.files.length) zone.take(event.clipboardData.files);
});

// A box as large as a picture can be shown, that keeps its shape.
export function frame(picture, ...children) {
  const box = h.div('hero', children);
  fit(box, picture);
  return box;
}
function fit(box, { width, height }) {
  box.style.aspectRatio = `${width} / ${height}`;
  box.style.width = `min(100%, 760px, ${(68 * width / height).toFixed(2)}vh)`;
}

// Before and after in one place, with a line that is moved.
export function wipe(before, after, labels = ['before', 'after']) {
  const top = h.div('after', image(after, 1024, labels[1]));
  const range = h('input', { type: 'range', min: 0, max: 100, value: 12, 'aria-label': `How much of ${labels[0]} is shown` });
  const box = h('div', { className: 'wipe' }, image(before, 1024, labels[0]), top, range);
  const move = () => {
    top.style.clipPath = `inset(0 0 0 ${range.value}%)`;
    box.style.setProperty('--at', `${range.value}%`);
  };
  range.addEventListener('input', move);
  move();
  for (const img of box.querySelectorAll('img')) img.loading = 'eager';
  fit(box, after);
  const below = h.div('wipe-labels', h('span', {}, `← ${labels[1]}`), h('span', {}, 'drag over the picture to compare'), h('span', {}, `${labels[0]} →`));
  below.style.width = box.style.width;
  return h('div', {}, box, below);
}

// A picture on which a part is painted. mask(): a PNG of its size, white where it was; null: nothing.
export function painter(picture) {
  const canvas = h('canvas', { width: picture.width, height: picture.height, 'aria-label': 'Paint here with the pointer what is to change' });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const img = image(picture, 1e9);
  img.loading = 'eager';
  let size = 0.08, erases = false, last = null, painted = false;
  const at = event => {
    const box = canvas.getBoundingClientRect();
    // the picture is centred in its box, as object-fit: contain does
    const scale = Math.min(box.width / canvas.width, box.height / canvas.height);
    return [(event.clientX - box.left - (box.width - canvas.width * scale) / 2) / scale, (event.clientY - box.top - (box.height - canvas.height * scale) / 2) / scale];
  };
  const draw = to => {
    context.globalCompositeOperation = erases ? 'destination-out' : 'source-over';
    context.strokeStyle = context.fillStyle = '#e8473c';
    context.lineWidth = size * Math.max(canvas.width, canvas.height);
    context.lineCap = 'round';
    context.beginPath();
    context.moveTo(...(last || to));
    context.lineTo(...to);
    context.stroke();
    last = to;
    painted = true;
  };
  canvas.addEventListener('pointerdown', event => { canvas.setPointerCapture(event.pointerId); last = null; draw(at(event)); });
  canvas.addEventListener('pointermove', event => { if (event.buttons && last) draw(at(event)); });
  canvas.addEventListener('pointerup', () => { last = null; });
  canvas.style.objectFit = 'contain';
  const brush = h('input', { type: 'range', min: 0.01, max: 0.3, step: 0.01, value: size, 'aria-label': 'Width of the brush' });
  brush.addEventListener('input', () => { size = Number(brush.value); });
  const eraser = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => { erases = !erases; eraser.setAttribute('aria-pressed', String(erases)); } }, 'Eraser');
  const clear = h('button', { type: 'button', onclick: () => { context.clearRect(0, 0, canvas.width, canvas.height); painted = false; } }, 'Clear');
  const mask = async () => {
    if (!painted) return null;
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const out = h('canvas', { width: canvas.width, height: canvas.height });
    const pen = out.getContext('2d');
    const pixels = pen.createImageData(canvas.width, canvas.height);
    let any = false;
    for (let i = 0; i < data.length; i += 4) {
      const on = data[i + 3] > 127 ? 255 : 0;
      any ||= on > 0;
      pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = on;
      pixels.data[i + 3] = 255;
    }
    if (!any) return null;
    pen.putImageData(pixels, 0, 0);
    return new Promise(resolve => out.toBlob(resolve, 'image/png'));
  };
  const box = h('div', { className: 'painter' }, img, canvas);
  return {
    element: frame(picture, box), mask,
    tools: h('div', { className: 'field' }, h('span', {}, 'Brush'), brush, h.div('row', eraser, clear)),
  };
}

export function copyable(text) {
  const copy = h('button', { type: 'button', className: 'link', onclick: async () => {
    await navigator.clipboard.writeText(text);
    copy.textContent = 'Copied';
    setTimeout(() => { copy.textContent = 'Copy the command'; }, 1500);
  } }, 'Copy the command');
  return h('div', {}, h('code', { className: 'block' }, text), copy);
}

// What a result says of itself: its lines, what it was made of, its command.
export function recipe(result) {
  const lines = (result.lines || []).filter(line => !/^(the next generation|the first direction)/.test(line)); // for a terminal
  return h('div', { className: 'recipe' },
    lines.length ? h('ul', {}, lines.map(line => h('li', {}, line))) : null,
    result.command ? copyable(result.command) : h('p', {}, 'You gave this picture.'));
}

// A picture alone: large, with all that can be done with it.
export function look(picture) {
  const viewer = document.getElementById('viewer');
  const result = resultOf(picture.id);
  const close = () => viewer.close();
  const own = result && modelOf(result);
  const leave = () => { close(); if (own) choose(own.id); };
  const to = screen => h('a', { className: 'button', href: `#/${screen}/${picture.id}`, onclick: leave }, { breed: 'Breed', shape: 'Shape', mine: 'Find in a model', repair: 'Repair', style: 'Style' }[screen]);
  const kept = h('button', { type: 'button', 'aria-pressed': String(state.kept.has(picture.id)), onclick: async () => {
    await tell(() => keep(picture.id, !state.kept.has(picture.id)));
    kept.setAttribute('aria-pressed', String(state.kept.has(picture.id)));
    kept.textContent = state.kept.has(picture.id) ? '♥ Kept' : '♥ Keep';
  } }, state.kept.has(picture.id) ? '♥ Kept' : '♥ Keep');
  const img = image(picture, 1e9);
  const canvas = h.div('canvas', img);
  const zoom = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => {
    const on = canvas.classList.toggle('pixels');
    img.style.width = on ? `${picture.width * Math.max(1, Math.floor(640 / picture.width))}px` : '';
    zoom.setAttribute('aria-pressed', String(on));
  } }, 'Pixels');
  const answer = h('p', { className: 'quiet', role: 'status' });
  const made = result && result.tool !== 'given';
  const again = made && button('Make it again', async () => {
    answer.textContent = 'Making it again…';
    try {
      const { same, changed } = await job({ tool: 'reproduce', file: picture.id });
      answer.textContent = same ? 'Made again: the same, bit for bit.' : `Made again: it differs${changed ? ` (${changed})` : ''}.`;
    } catch (error) { answer.textContent = error.message; }
  }, '');
  const older = ancestors(picture);
  const verdict = made && own && button('Is it new?', async () => {
    answer.textContent = 'It is compared with what the model was trained on. The first time takes a minute…';
    try {
      const { says } = await job({ tool: 'originality', model: own.id, file: picture.id });
      answer.textContent = says;
      if (!viewer.open) say(`${picture.name}: ${says}`);
    } catch (error) { answer.textContent = error.message; }
  }, '');
  const side = h.div('side',
    h.div('row', h('h2', { className: 'grow' }, picture.prompt || picture.class || (made ? result.tool : 'Your picture')), h('button', { type: 'button', 'aria-label': 'Close', onclick: close }, '✕')),
    h('p', { className: 'quiet' }, `${picture.name}, ${picture.width} × ${picture.height} pixels${picture.psnr ? `, ${picture.psnr.toFixed(1)} dB to what was given` : ''}`),
    h.div('row', kept, zoom),
    h.div('row', picture.latent && own ? [to('breed'), to('shape')] : to('mine'), to('repair'), to('style')),
    h.div('row', h('a', { className: 'button', href: `/files/${picture.id}?save=1`, download: '' }, 'Download'), h('a', { className: 'button', href: `/files/${picture.id}?plain=1`, download: '' }, 'Download without its record')),
    h('div', { className: 'reword' }), h.div('row', again, verdict), answer,
    older.length ? [h('h3', {}, 'It came of'), h.div('grid strip', older.map(p => tile(p, { hearts: false })))] : null,
    result && recipe(result));
  viewer.setAttribute('aria-label', describe(picture));
  const beside = result?.pictures || [picture];
  const number = beside.findIndex(p => p.id === picture.id);
  viewer.onkeydown = event => { // to the next one of the same result
    const next = beside[number + { ArrowLeft: -1, ArrowRight: 1 }[event.key]];
    if (next && !event.target.closest('input')) look(next);
  };
  viewer.replaceChildren(h('div', { className: 'view' }, canvas, side));
  if (!viewer.open) viewer.showModal();
  rewording(picture, result, side.querySelector('.reword'), close);
}

// Other words for a picture of a model of words.
async function rewording(picture, result, place, close) {
  const model = picture.prompt && modelOf(result);
  if (!model || !(await about(model.id).catch(() => ({}))).rewords) return;
  const words = h('input', { type: 'text', value: picture.prompt, maxLength: 500, 'aria-label': 'Other words' });
  place.append(h('h3', {}, 'Change its words'), words, button('Draw the change', async () => {
    if (words.value.trim() === picture.prompt) throw new Error('The words are the same as before: change some.');
    close();
    const made = await make({ tool: 'reword', model: model.id, inputs: [picture.id], flags: { to: words.value } });
    if (!document.getElementById('viewer').open) look(made.pictures[0]);
  }, ''));
}

// The pictures that a picture came of, and those that they came of, each once.
export function ancestors(picture) {
  const found = new Map(), asked = [picture.id];
  while (asked.length) {
    for (const { id } of resultOf(asked.shift())?.inputs || []) {
      const older = id && state.pictures.get(id)?.picture;
      if (older && !found.has(id)) { found.set(id, older); asked.push(id); }
    }
  }
  return [...found.values()];
}

export const empty = (text, ...more) => h.div('empty', h('p', {}, text), more);
export const head = (title, text) => h('div', { className: 'head' }, h('h1', {}, title), h('p', { className: 'quiet' }, text));
export const screen = (stage, controls) => h('div', { className: 'screen' }, h.div('stage', stage), h('section', { className: 'controls', 'aria-label': 'Settings' }, controls));

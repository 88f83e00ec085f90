// What all screens share: models, tools and the album.

import { get, send, job } from './server.js';

export const state = {
  models: [], model: localStorage.getItem('model') || '', abouts: new Map(), tools: {},
  results: [], kept: new Set(), bytes: 0,
  pictures: new Map(), // id -> {picture, result}
};

export async function loadAlbum() {
  const album = await get('/api/album');
  state.results = album.results.filter(r => r.tool !== 'mask');
  state.kept = new Set(album.kept);
  state.keptInOrder = album.kept;
  state.bytes = album.bytes;
  state.pictures = new Map();
  for (const result of album.results) for (const picture of result.pictures) state.pictures.set(picture.id, { picture, result });
}

export async function load() {
  [state.models, state.tools] = await Promise.all([get('/api/models'), get('/api/tools')]);
  await loadAlbum();
  if (!state.models.some(m => m.id === state.model)) state.model = state.models[0]?.id || '';
}

export const modelNow = () => state.models.find(m => m.id === state.model);

// What the chosen model can do; it is opened by the server.
export async function about(id = state.model) {
  if (!state.abouts.has(id)) state.abouts.set(id, job({ tool: 'open', model: id }));
  try {
    return await state.abouts.get(id);
  } catch (error) {
    state.abouts.delete(id);
    throw error;
  }
}

export function choose(id) {
  state.model = id;
  localStorage.setItem('model', id);
}

// Runs a tool and gives its result out of the album, with the lines that it said.
export async function make(asked) {
  const { id, lines } = await job(asked);
  await loadAlbum();
  const result = state.results.find(r => r.id === id);
  if (!result) throw new Error('What was made is not in the album any more.');
  return Object.assign(result, { lines });
}

export async function keep(id, keeps) {
  await send(keeps ? 'PUT' : 'DELETE', `/api/kept/${id}`);
  keeps ? state.kept.add(id) : state.kept.delete(id);
  state.keptInOrder = [...(keeps ? [id] : []), ...state.keptInOrder.filter(k => k !== id)];
}

// The model of this page that a result was made with, if it is still here.
export const modelOf = result => state.models.find(m => m.workdir === result.model || m.name === result.model);
export const resultOf = id => state.pictures.get(id)?.result;

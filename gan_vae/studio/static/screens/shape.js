// One picture, moved along directions by sliders, seen at once.

import { ask } from '../server.js';
import { h, head, screen, field, seedField, button, empty, tell, look, frame } from '../parts.js';
import { state, about, make, keep as keepIt, modelOf, resultOf } from '../state.js';

const COLUMNS = 7; // pictures of a row of directions

export default {
  title: 'Shape',
  async show(root, id) {
    const stage = h('div', { className: 'stage' }), controls = h('div', { className: 'stack' });
    root.append(screen([head('Shape', 'Each slider is a direction that was found in the model. The picture follows at once. “Keep this” puts it in the album.'), stage], controls));
    const can = await about();
    if (!can.latents || can.kind !== 'images') { stage.append(empty('Pictures of this model cannot be moved. Choose another model above: art_vae, emoji_vae and emoji_gan can.')); return; }
    let thing = id && resultOf(id) && modelOf(resultOf(id))?.id === state.model ? id : null;
    const seed = seedField();
    const img = h('img', { className: can.size < 200 ? 'small-picture' : '', alt: 'The picture as the sliders say', hidden: true });
    const speed = h('small', {}), sliders = h('div', { className: 'stack' });
    let moves = [], busy = false, again = false, shown = null;
    async function preview() {
      if (busy) { again = true; return; }
      busy = true;
      const begin = performance.now();
      await tell(async () => {
        const asked = { model: state.model, thing: thing ?? 0, seed: Number(seed.value()), moves: moves.filter(m => Number(m.slider.value)).map(m => [m.along, Number(m.slider.value)]) };
        const blob = await (await ask('POST', '/api/preview', JSON.stringify(asked))).blob();
        if (shown) URL.revokeObjectURL(shown);
        img.src = shown = URL.createObjectURL(blob);
        img.hidden = false;
        speed.textContent = `drawn in ${Math.round(performance.now() - begin)} ms`;
      });
      busy = false;
      if (again) { again = false; preview(); }
    }
    function found() { // the newest of each kind
      const every = state.results.filter(r => r.tool === 'directions' && modelOf(r)?.id === state.model && r.pictures.length && r.pictures.length % COLUMNS === 0);
      return [...new Map(every.reverse().map(r => [`${r.flags.method} ${r.flags.factor}`, r])).values()].reverse();
    }
    function rows() {
      const before = new Map(moves.map(m => [m.along, m.slider.value]));
      moves = [];
      sliders.replaceChildren(...found().map(result => {
        const strength = Number(result.flags.strength ?? state.tools.directions.strength.default);
        const names = result.found.values ? Object.keys(result.found.values) : [];
        const title = result.found.factor || `found by ${result.flags.method || state.tools.directions.method.default}`;
        return h('fieldset', { style: 'border: 0; padding: 0; margin: 0' }, h('legend', {}, title), Array.from({ length: result.pictures.length / COLUMNS }, (_, n) => {
          const along = result.pictures[n * COLUMNS + COLUMNS - 1].id;
          const slider = h('input', { type: 'range', min: -2 * strength, max: 2 * strength, step: strength / 50, value: before.get(along) || 0, 'aria-label': names[n] || `direction ${n + 1}` });
          slider.addEventListener('input', preview);
          slider.addEventListener('dblclick', () => { slider.value = 0; preview(); });
          moves.push({ along, slider });
          return h('label', { className: 'field' }, h('span', {}, names[n] || `Direction ${n + 1}`), slider);
        }));
      }));
      if (!moves.length) sliders.replaceChildren(h('p', { className: 'quiet' }, 'No directions are found yet in this model.'));
    }
    const flags = state.tools.directions;
    const method = field(flags.method, 'Found by', { choices: [['pca', 'what varies most (pca)'], ['sefa', 'the first layer (sefa)'], ...(can.factors.length ? [['factor', 'a part of the drawing']] : [])], value: 'pca' });
    const factor = can.factors.length && field(flags.factor, 'Part', { choices: can.factors.map(f => [f, f]) });
    const find = button('Find directions', async () => {
      const asked = { method: method.value(), num: 6 };
      if (asked.method === 'factor') asked.factor = factor.value();
      const result = await make({ tool: 'directions', model: state.model, inputs: thing ? [thing] : [], flags: asked });
      rows();
      return result;
    }, '');
    const keep = button('Keep this', async () => {
      const used = moves.filter(m => Number(m.slider.value));
      speed.textContent = 'It is being made and kept…';
      if (!used.length) throw new Error('All sliders are in the middle: move one first.');
      const result = await make({ tool: 'move', model: state.model, inputs: [thing ?? '0'], flags: { along: used.map(m => m.along), strength: used.map(m => m.slider.value).join(','), seed: seed.value() } });
      await keepIt(result.pictures[0].id, true);
      look(result.pictures[0]);
    });
    const another = button('Another picture', async () => { thing = null; seed.another(); await preview(); }, '');
    stage.append(frame({ width: 1, height: 1 }, img), speed);
    controls.append(keep, h('div', { className: 'row' }, another, button('Reset sliders', async () => { for (const m of moves) m.slider.value = 0; await preview(); }, '')),
      sliders, h('h3', {}, 'More directions'), method.element, factor ? factor.element : '', find);
    rows();
    if (!moves.length) { // the quickest ones, so that there is something to move
      sliders.replaceChildren(h('p', { className: 'quiet' }, 'The first directions are being found…'));
      const quick = { tool: 'directions', model: state.model, inputs: [], flags: { method: 'sefa', num: 6 } };
      find.disabled = true;
      make(quick).catch(() => {}).then(() => { rows(); find.disabled = false; });
    }
    await preview();
    return () => shown && URL.revokeObjectURL(shown);
  },
};

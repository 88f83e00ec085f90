// A picture of the person's, found in a model.

import { h, head, screen, field, values, button, recipe, empty, drop, image, wipe, frame, grid } from '../parts.js';
import { state, about, make } from '../state.js';

export default {
  title: 'Your picture',
  async show(root, id) {
    const stage = h('div', { className: 'stage' }), controls = h('div', { className: 'stack' });
    root.append(screen([head('Your picture', 'The nearest picture that the model can draw is looked for. It can then be bred and shaped.'), stage], controls));
    const can = await about();
    if (!can.latents) { stage.append(empty('Pictures cannot be found in this model. Choose another model above: art_vae, emoji_vae and emoji_gan can.')); return; }
    const flags = state.tools.project;
    const fields = {
      steps: field(flags.steps, 'Steps', { range: [50, 1000, 50] }),
      restarts: field(flags.restarts, 'Starts', { range: [1, 16, 1] }),
    };
    if (can.classes.length) fields.class = field(flags.class, 'Class', { choices: [['', 'the best of all'], ...can.classes.map(c => [c, c])] });
    if (can.styles) fields.space = field(flags.space, 'Space');
    const place = h('div', { className: 'stage' });
    const go = button('Find it', async () => {
      const result = await make({ tool: 'project', model: state.model, inputs: [id], flags: values(fields) });
      const near = result.pictures[0], given = state.pictures.get(id).picture;
      place.replaceChildren(given.width === given.height ? wipe(given, near, ['given', 'found']) : h('div', { className: 'pair' }, h('div', { className: 'hero' }, image(given, 512)), h('div', { className: 'hero' }, image(near, 512))),
        h('div', { className: 'row' }, h('a', { className: 'button', href: `#/shape/${near.id}` }, 'Shape it'), h('a', { className: 'button', href: `#/breed/${near.id}` }, 'Breed it')), grid(result.pictures, { size: 'strip' }), recipe(result));
    });
    const given = next => {
      id = next;
      history.replaceState(null, '', `#/mine/${id}`);
      go.disabled = false;
      place.replaceChildren(frame(state.pictures.get(id).picture, image(state.pictures.get(id).picture, 1024)));
    };
    go.disabled = true;
    stage.append(place, drop(given, { compact: true }));
    controls.append(go, ...Object.values(fields).map(f => f.element));
    if (id && state.pictures.has(id)) given(id); else place.append(empty('Which picture?'));
  },
};

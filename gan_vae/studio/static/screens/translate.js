// Pictures by a network from picture to picture.

import { h, head, screen, button, recipe, empty, drop, image, wipe, frame, tile } from '../parts.js';
import { state, about, make, modelNow } from '../state.js';

export default {
  title: 'Translate',
  async show(root, id) {
    const stage = h('div', { className: 'stage' }), controls = h('div', { className: 'stack' });
    root.append(screen([head('Translate', 'By a network that was trained from pictures to pictures: pix2pix, CycleGAN, CUT, restore, a fast style.'), stage], controls));
    const can = await about();
    if (!can.translates) {
      stage.append(empty(`${modelNow().name} does not translate pictures. With the package comes “restore”; runs of configs/pix2pix.py, cut.py, cyclegan.py and fast_style_emoji.py do it too.`,
        h('a', { className: 'button', href: '#/repair' }, 'Repair a picture instead')));
      return;
    }
    const place = h('div', { className: 'stage' });
    const go = button('Translate', async () => {
      const result = await make({ tool: 'translate', model: state.model, inputs: [id], flags: {} });
      const [given, made] = [state.pictures.get(id).picture, result.pictures[0]];
      place.replaceChildren(wipe(given, made, ['given', 'made']), h('div', { className: 'grid strip' }, tile(made)), recipe(result));
    });
    const given = next => { id = next; history.replaceState(null, '', `#/translate/${id}`); go.disabled = false; place.replaceChildren(frame(state.pictures.get(id).picture, image(state.pictures.get(id).picture, 1024))); };
    go.disabled = true;
    stage.append(place, drop(given, { compact: true }));
    controls.append(go);
    if (id && state.pictures.has(id)) given(id);
  },
};

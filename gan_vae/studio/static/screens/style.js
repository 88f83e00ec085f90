// The look of pictures on a picture: all ways small, then one at full size.

import { give } from '../server.js';
import { h, head, screen, field, values, button, recipe, empty, drop, image, painter, tile, wipe } from '../parts.js';
import { state, make } from '../state.js';

const WAYS = { colour: 'colours alone', linear: 'colours, softly', patch: 'patches', neighbour: 'brush strokes', gatys: 'textures' };
const SMALL = 128;

export default {
  title: 'Style', noModel: true,
  async show(root, id) {
    const stage = h('div', { className: 'stage' }), controls = h('div', { className: 'stack' });
    root.append(screen([head('Style', 'Your picture, and one style picture or more. All ways are shown small first. The one you choose is made at full size.'), stage], controls));
    const flags = state.tools.style;
    const styles = []; // {id, weight}
    let paint = null;
    const fields = { strength: field(flags.strength, 'Strength', { range: [0, 1, 0.05] }), colours: field(flags.colours, 'Colours', { choices: [['style', 'of the style'], ['keep', 'of the content']] }) };
    const size = field(flags.size, 'Pixels of the longer side', { range: [128, 1024, 1], value: 384 });
    const place = h('div', { className: 'stage' }), list = h('div', { className: 'stack' }), small = h('div', { className: 'grid large' }), full = h('div', { className: 'stage' });
    const masked = h('input', { type: 'checkbox' });
    const ready = () => { go.disabled = !id || !styles.length; };
    async function asked(way, longest) {
      if (!id || !styles.length) throw new Error('Your picture and a style are needed.');
      const set = { ...values(fields), method: way, size: longest };
      if (styles.length > 1) set.weights = styles.map(s => s.weight.value).join(',');
      if (masked.checked) {
        const mask = await paint.mask();
        if (!mask) throw new Error('Nothing is painted: paint where the style goes, or take that mark away.');
        set.mask = await give(mask, true);
      }
      return { tool: 'style', inputs: [id, ...styles.map(s => s.id)], flags: set };
    }
    async function whole(way) {
      const result = await make(await asked(way, size.value()));
      const given = state.pictures.get(id).picture;
      full.replaceChildren(h('h2', {}, WAYS[way]), wipe(given, result.pictures[0]), h('div', { className: 'grid strip' }, result.pictures.map(p => tile(p))), recipe(result));
      full.scrollIntoView({ block: 'nearest' });
    }
    const go = button('Show all ways', async () => {
      small.replaceChildren();
      for (const way of Object.keys(WAYS)) {
        const result = await make(await asked(way, SMALL)).catch(error => error);
        if (result instanceof Error) { small.append(h('p', { className: 'quiet' }, `${WAYS[way]}: ${result.message.includes('prepare hed') ? 'needs a network that is fetched once by: python -m gan_vae.data.prepare hed' : result.message}`)); continue; }
        small.append(h('div', {}, tile(result.pictures[0], { label: WAYS[way] }), button('Full size', () => whole(way), '')));
      }
    });
    function content(next) {
      id = next;
      history.replaceState(null, '', `#/style/${id}`);
      const own = state.pictures.get(id).picture;
      size.input.value = Math.min(512, Math.max(128, own.width, own.height));
      size.input.dispatchEvent(new Event('input'));
      paint = painter(state.pictures.get(id).picture);
      place.replaceChildren(paint.element);
      brush.replaceChildren(h('label', { className: 'check' }, masked, 'Only where I paint'), paint.tools);
      ready();
    }
    function style(next) {
      const { picture } = state.pictures.get(next);
      const weight = h('input', { type: 'range', min: 0, max: 1, step: 0.05, value: 1, 'aria-label': 'Weight of this style' });
      const entry = { id: next, weight };
      styles.push(entry);
      const row = h('div', { className: 'row' }, h('div', { className: 'tile', style: 'width: 64px' }, h('button', { type: 'button' }, image(picture, 96))), h('div', { className: 'grow' }, weight),
        h('button', { type: 'button', 'aria-label': 'Take this style away', onclick: () => { styles.splice(styles.indexOf(entry), 1); row.remove(); ready(); } }, '✕'));
      list.append(row);
      ready();
    }
    const brush = h('div', { className: 'stack' });
    stage.append(place, drop(content, { compact: true, text: 'Drop or choose your picture' }), small, full);
    controls.append(h('h3', {}, 'Styles'), list, drop(style, { compact: true, many: true, text: 'Drop or choose a style, or several' }), fields.strength.element, fields.colours.element, size.element, brush, go);
    ready();
    if (id && state.pictures.has(id)) content(id); else place.append(empty('Which picture is to change?'));
  },
};

// Damage taken away: what is painted, noise, blur, smallness, missing colours.

import { give } from '../server.js';
import { h, head, screen, field, values, button, recipe, empty, drop, painter, wipe, tile } from '../parts.js';
import { state, about, make } from '../state.js';

const TOOLS = [
  ['inpaint', 'Fill what I paint', 'Paint over what is to go. What is filled in is plausible, not recovered.'],
  ['denoise', 'Less noise', 'The noise is estimated unless you say how much there is.'],
  ['deblur', 'Sharper', 'For a picture out of focus.'],
  ['upscale', 'Larger', 'Two or four times the size.'],
  ['restore', 'All at once', 'JPEG, noise, scratches, blur: by the trained network, which finds out itself.'],
  ['colourise', 'Colours', 'For a grey picture, with a model that knows colours.'],
  ['edit', 'Adjust', 'Plain changes: light, contrast, colours.'],
];
const WAYS = { filter: 'a filter', network: 'a trained network', prior: 'an untrained network (slow)', model: 'the model above' };

export default {
  title: 'Repair',
  async show(root, id) {
    const stage = h('div', { className: 'stage' }), controls = h('div', { className: 'stack' });
    root.append(screen([head('Repair', 'The picture keeps its size. Compare the ways, and take the one that you like.'), stage], controls));
    let tool = 'inpaint', paint = null, can = {};
    about().then(found => { can = found; if (paint) settle(); }).catch(() => {}); // the screen does not wait
    const settings = h('div', { className: 'stack' }), place = h('div', { className: 'stage' }), results = h('div', { className: 'stage' });
    const tabs = h('div', { className: 'tabs', role: 'group', 'aria-label': 'What is wrong' });
    let fields = {};
    // What the page asks for now, by any way: the tool may be another one when it is done.
    async function asked() {
      const flags = values(fields), name = tool;
      if (name === 'inpaint') {
        const mask = await paint.mask();
        if (!mask) throw new Error('Nothing is painted yet: paint over what is to be filled.');
        flags.mask = await give(mask, true);
      }
      return { name, flags, given: state.pictures.get(id).picture };
    }
    async function run({ name, flags, given }, way) {
      const model = way === 'model' || name === 'colourise' ? state.model : undefined;
      const method = way && way !== 'model' ? { method: way } : {};
      const result = await make({ tool: name, model, inputs: [given.id], flags: { ...flags, ...method } });
      return { result, given, title: `${TOOLS.find(t => t[0] === name)[1]}${way ? ` by ${WAYS[way]}` : ''}` };
    }
    const detail = ({ result, title, given }) => h('div', { className: 'result' }, h('h2', {}, title), wipe(given, result.pictures[0]), h('div', { className: 'grid' }, result.pictures.map(p => tile(p))), recipe(result));
    function show(element) {
      results.prepend(element);
      element.scrollIntoView({ block: 'start', behavior: 'smooth' });
    }
    const alone = async way => show(detail(await run(await asked(), way)));
    // The ways beside each other; one of them is looked at under a wipe.
    async function compare(ways) {
      const what = await asked(), row = h('div', { className: 'grid large' }), place = h('div', {});
      show(h('div', { className: 'result' }, h('h2', {}, 'Beside each other'), row, place));
      for (const way of ways) {
        const made = await run(what, way).catch(error => error);
        if (made instanceof Error) { row.append(h('p', { className: 'quiet' }, `${WAYS[way]}: ${made.message}`)); continue; }
        const look = () => place.replaceChildren(detail(made));
        row.append(h('div', {}, tile(made.result.pictures[0], { onclick: look, label: WAYS[way] })));
        if (!place.firstChild) look();
      }
    }
    function settle() {
      tabs.replaceChildren(...TOOLS.map(([name, title]) => h('button', { type: 'button', 'aria-pressed': String(name === tool), onclick: () => { tool = name; settle(); } }, title)));
      const flags = state.tools[tool];
      fields = {};
      if (tool === 'denoise') fields.sigma = field(flags.sigma, 'Noise, grey levels', { empty: 'estimated' });
      if (tool === 'deblur') fields.radius = field(flags.radius, 'Blur, pixels', { range: [0.3, 3, 0.1] });
      if (tool === 'upscale') fields.factor = field(flags.factor, 'Times', { choices: [['2', '2'], ['4', '4']], value: '2' });
      if (tool === 'edit') {
        fields.exposure = field(flags.exposure, 'Stops of light', { range: [-2, 2, 0.1], at: 0, empty: 'as it is' });
        fields.contrast = field(flags.contrast, 'Contrast', { range: [0, 2, 0.05], at: 1, empty: 'as it is' });
        fields.saturation = field(flags.saturation, 'Saturation', { range: [0, 2, 0.05], at: 1, empty: 'as it is' });
        fields.palette = field(flags.palette, 'Colours at most', { empty: 'all' });
      }
      const ways = ['restore', 'colourise', 'edit'].includes(tool) ? [] : [...(tool === 'upscale' ? [] : ['filter']), 'network', 'prior', 'model'];
      const quick = ways.filter(w => w !== 'prior' && (w !== 'model' || can.latents));
      settings.replaceChildren(h('p', { className: 'quiet' }, TOOLS.find(t => t[0] === tool)[2]), ...Object.values(fields).map(f => f.element), tool === 'inpaint' && paint ? paint.tools : '',
        ways.length ? h('div', { className: 'stack' },
          button('Compare the ways', () => compare(quick)),
          h('p', { className: 'quiet' }, 'Or by one of them:'),
          h('div', { className: 'row' }, ways.map(w => button(WAYS[w], () => alone(w), '')))) : button('Do it', () => alone()));
    }
    function given(next) {
      id = next;
      history.replaceState(null, '', `#/repair/${id}`); // for a reload
      paint = painter(state.pictures.get(id).picture);
      place.replaceChildren(paint.element);
      results.replaceChildren();
      settle();
    }
    stage.append(place, results, drop(given, { compact: true, text: 'Drop or choose a picture' }));
    controls.append(tabs, settings);
    if (id && state.pictures.has(id)) given(id);
    else { place.append(empty('Drop a picture below: a photograph, a scan, a drawing.')); tabs.replaceChildren(h('p', { className: 'quiet' }, 'First a picture.')); }
  },
};

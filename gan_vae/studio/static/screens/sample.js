// New pictures: by class, by words, by seed.

import { h, head, screen, field, seedField, more, values, grid, button, recipe, empty } from '../parts.js';
import { state, about, make, modelOf } from '../state.js';

export default {
  title: 'Sample',
  async show(root) {
    const stage = h('div', { className: 'stage' }, empty('The model is being opened.'));
    const controls = h('div', { className: 'stack' });
    root.append(screen([head('Sample', 'Each seed gives other pictures; the same seed gives the same ones. The heart keeps a picture.'), stage], controls));
    const can = await about();
    if (can.kind !== 'images' || !can.draws) {
      stage.replaceChildren(empty(can.translates ? 'This model draws nothing of its own: it changes pictures. Take Translate or Repair.' : 'This model makes no pictures: take one that does.'));
      return;
    }
    const flags = state.tools.sample, fields = {};
    if (can.words.length) {
      fields.prompt = field(flags.prompt, 'Words', { empty: 'any words; leave empty for any picture', lines: 3 });
      const chips = h('div', { className: 'row' }, can.examples.slice(0, 3).map(text => h('button', { type: 'button', className: 'chip', onclick: () => { fields.prompt.input.value = text; } }, text)));
      controls.append(fields.prompt.element, chips, more(`The ${can.words.length} words that it knows`, h('p', { className: 'quiet' }, can.words.join(', '))));
      fields.prompt.input.addEventListener('keydown', event => { if (event.key === 'Enter' && !event.shiftKey) { event.preventDefault(); go.click(); } });
    }
    if (can.classes.length) {
      fields.class = field(flags.class, 'Class', { choices: [['', 'each in turn'], ...can.classes.map(c => [c, c])] });
      controls.append(fields.class.element);
    }
    fields.num = field(flags.num, 'How many', { range: [4, 64, 4], value: can.codes ? 12 : 24 });
    const seed = fields.seed = seedField();
    controls.append(fields.num.element, seed.element);
    if (can.latents) {
      fields.temperature = field(flags.temperature, 'Variety', { range: [0.2, 1.2, 0.05], at: 1, empty: 'as trained' });
      fields.truncation = field(flags.truncation, 'Truncation', { empty: 'none' });
      fields.pairs = field(flags.pairs, 'Opposite latents beside each other');
      controls.append(fields.temperature.element, more('More', fields.truncation.element, fields.pairs.element));
    } else if (can.codes) {
      fields.temperature = field(flags.temperature, 'Variety', { range: [0.5, 1.5, 0.05], at: 1, empty: 'as trained' });
      fields.guidance = field(flags.guidance, 'Weight of the words', { range: [1, 4, 0.25], at: 2, empty: 'as trained' });
      fields.top_k = field(flags.top_k, 'Top-k: only the k likeliest codes', { empty: 'all' });
      fields.top_p = field(flags.top_p, 'Top-p: only the likeliest codes of this share', { empty: 'all' });
      controls.append(fields.temperature.element, fields.guidance.element, more('More', fields.top_k.element, fields.top_p.element));
    }
    const shown = result => stage.replaceChildren(grid(result.pictures, { size: 'large' }), recipe(result));
    const draw = async () => {
      stage.classList.add('busy');
      try {
        shown(await make({ tool: 'sample', model: state.model, flags: values(fields) }));
      } finally { stage.classList.remove('busy'); }
    };
    const go = button('Draw', draw);
    controls.append(go, button('Draw with another seed', () => { seed.another(); return draw(); }, ''));
    const last = state.results.find(r => r.tool === 'sample' && modelOf(r)?.id === state.model && r.pictures.length);
    last ? shown(last) : stage.replaceChildren(empty('Nothing is drawn yet. “Draw” makes the first pictures.'));
  },
};

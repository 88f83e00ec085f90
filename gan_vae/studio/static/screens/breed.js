// Generations: parents are chosen, and their children are the next board.

import { h, head, screen, field, seedField, values, tile, button, recipe, empty, image } from '../parts.js';
import { state, about, make, modelOf, resultOf } from '../state.js';

const parentOf = result => result.inputs.map(i => i.id && resultOf(i.id)).find(Boolean);

export default {
  title: 'Breed',
  async show(root, id) {
    const stage = h('div', { className: 'stage' }), controls = h('div', { className: 'stack' });
    root.append(screen([head('Breed', 'Choose two or more pictures. Their children become the next board. The family below leads back to every board.'), stage], controls));
    const can = await about();
    if (!can.latents) { stage.append(empty('Pictures of this model cannot be mixed. Choose another model above: art_vae, emoji_vae and emoji_gan can.')); return; }
    const own = () => state.results.filter(r => modelOf(r)?.id === state.model && ['sample', 'breed', 'move', 'project', 'mix', 'interpolate'].includes(r.tool) && r.pictures.length);
    let board = (id && resultOf(id)) || own().find(r => r.pictures.length > 1);
    const chosen = new Set(id && board ? [id] : []);
    const flags = state.tools.breed, seed = seedField();
    let used = false;
    const ways = flags.how.choices.filter(c => c !== 'groups' || can.groups > 1 || can.styles);
    const fields = {
      how: field(flags.how, 'How', { choices: ways.map(w => [w, { blend: 'blend: between them', uniform: 'cross: each number of one of them', cut: 'cross: coarse of one, fine of the other', groups: 'cross by layers' }[w] || w]) }),
      mutation: field(flags.mutation, 'Mutation', { range: [0, 1, 0.05] }),
      num: field(flags.num, 'Children', { range: [4, 36, 4] }), seed,
    };
    const go = button('Make children', async () => {
      const inputs = [...chosen];
      if (used) seed.another();
      used = true;
      board = await make({ tool: 'breed', model: state.model, inputs, flags: values(fields) });
      chosen.clear();
      paint();
    });
    go.addEventListener('ended', () => paint());
    const start = button('Draw a new board', async () => {
      seed.another();
      board = await make({ tool: 'sample', model: state.model, flags: { num: 24, seed: seed.value() } });
      chosen.clear();
      paint();
    }, '');
    function tree(result) {
      const below = own().filter(r => r.tool === 'breed' && parentOf(r)?.id === result.id).reverse();
      return h('li', {}, h('button', { type: 'button', 'aria-pressed': String(result === board || result.id === board.id), onclick: () => { board = result; chosen.clear(); paint(); } },
        result.pictures.slice(0, 3).map(p => image(p, 96)), h('small', {}, `${result.tool === 'breed' ? 'children' : result.tool}, ${result.pictures.length}`)),
      below.length ? h('ul', {}, below.map(tree)) : null);
    }
    function paint() {
      go.disabled = chosen.size < 2;
      go.textContent = chosen.size < 2 ? `Make children (choose ${2 - chosen.size} more)` : `Make children of ${chosen.size}`;
      if (!board) { stage.replaceChildren(empty('There is nobody yet to choose from.')); return; }
      let rootOf = board;
      for (let n = 0; n < 99 && rootOf.tool === 'breed' && parentOf(rootOf); n++) rootOf = parentOf(rootOf);
      stage.replaceChildren(
        h('div', { className: 'grid' }, board.pictures.map(p => {
          const one = tile(p, { chosen: chosen.has(p.id), onclick: () => { chosen.has(p.id) ? chosen.delete(p.id) : chosen.add(p.id); paint(); } });
          return one;
        })), h('details', { open: true }, h('summary', {}, 'The family'), h('ul', { className: 'tree' }, tree(rootOf))), recipe(board));
    }
    const came = () => { if (!board) { board = own().find(r => r.pictures.length > 1); paint(); } };
    document.addEventListener('album', came);
    controls.append(go, fields.how.element, fields.mutation.element, fields.num.element, seed.element, start);
    paint();
    return () => document.removeEventListener('album', came);
  },
};

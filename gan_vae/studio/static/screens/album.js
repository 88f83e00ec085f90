// What was kept, what it came of, and everything that was made.

import { send } from '../server.js';
import { h, head, tile, recipe, button, empty, image, ancestors } from '../parts.js';
import { state, loadAlbum } from '../state.js';

const PAGE = 30; // results at a time

export default {
  title: 'Album', noModel: true,
  async show(root) {
    await loadAlbum();
    const kept = (state.keptInOrder || []).map(id => state.pictures.get(id)).filter(Boolean);
    const withParents = ({ picture, result }) => {
      const of = ancestors(picture);
      return h('div', {}, tile(picture), of.length ? h('div', { className: 'row', title: 'what it came of' }, of.slice(0, 4).map(p => h('div', { className: 'tile', style: 'width: 36px; margin-top: 6px' }, h('button', { type: 'button' }, image(p, 96))))) : h('small', {}, result.tool));
    };
    const again = async () => { root.replaceChildren(); await this.show(root); };
    const remove = result => button('Remove', async () => { await send('DELETE', `/api/results/${result.id}`); await again(); }, '');
    const entry = result => h('div', { className: 'result' },
      h('div', { className: 'row' }, h('h3', { className: 'grow' }, `${result.tool} · ${new Date(result.when * 1000).toLocaleString()}`), result.needed ? h('small', {}, 'kept, or needed by what is kept') : remove(result)),
      h('div', { className: 'grid strip' }, result.pictures.slice(0, 24).map(p => tile(p))),
      h('details', {}, h('summary', {}, 'How it was made'), recipe(result)));
    let count = PAGE;
    const list = h('div', { className: 'stage' });
    const next = button('Older ones', async () => { count += PAGE; paint(); }, '');
    const paint = () => { list.replaceChildren(...state.results.slice(0, count).map(entry)); next.hidden = count >= state.results.length; };
    paint();
    root.append(h('div', { className: 'stage' }, head('Album', `${kept.length} kept of ${state.pictures.size} pictures, ${(state.bytes / 1e6).toFixed(1)} MB in all.`),
      kept.length ? h('div', { className: 'grid large' }, kept.map(withParents)) : empty('Nothing is kept yet. The heart of a picture keeps it.'),
      h('div', { className: 'row' }, h('h2', { className: 'grow' }, 'Everything that was made'), button('Remove all that is not kept', async () => {
        if (!confirm('Remove everything but what is kept and what it came of?')) return;
        await send('DELETE', '/api/results');
        await again();
      }, '')), state.results.length ? [list, next] : empty('Nothing is made yet.')));
  },
};

// The better of two, again and again: a ranking with its doubt.

import { send } from '../server.js';
import { h, head, screen, field, button, recipe, empty, tell, tile } from '../parts.js';
import { state, make } from '../state.js';

export default {
  title: 'Taste', noModel: true,
  async show(root) {
    const stage = h('div', { className: 'stage' }), controls = h('div', { className: 'stack' });
    root.append(screen([head('Taste', 'Which of the two is better? The next pair is the one that tells most about your taste. Arrow keys choose, too.'), stage], controls));
    const sets = state.results.filter(r => r.pictures.length >= 4);
    if (!sets.length) { stage.append(empty('There are no pictures to choose from.', h('a', { className: 'button', href: '#/sample' }, 'Draw some first'))); return; }
    const set = field({ choices: sets.map(r => [r.id, `${r.tool}, ${r.pictures.length} pictures, ${new Date(r.when * 1000).toLocaleString()}`]), help: 'what you choose from' }, 'Of');
    const choices = [], status = h('p', { className: 'quiet', role: 'status' });
    let index = null, now = null, busy = false;
    const pictureOf = n => state.pictures.get(now.pictures[n])?.picture;
    async function ask() {
      now = await send('POST', '/api/ranking', { index, choices });
      busy = false;
      const [a, b] = now.next;
      const order = now.scores.map((score, n) => [score, n]).sort((x, y) => y[0] - x[0]).map(x => x[1]);
      stage.replaceChildren(h('div', { className: 'pair' }, [a, b].map((n, side) => tile(pictureOf(n), { hearts: false, label: side ? '→' : '←', onclick: () => pick(side) }))),
        status, h('h2', {}, 'As it stands'), h('div', { className: 'grid' }, order.map(n => tile(pictureOf(n), { label: `${now.scores[n].toFixed(1)} ± ${now.deviations[n].toFixed(1)}` }))));
      status.textContent = `${choices.length} choices. The next answer is expected to tell ${now.bits.toFixed(2)} bits.`;
      finish.disabled = !choices.length;
    }
    async function pick(side) {
      if (busy) return; // a key that is held
      busy = true;
      const [a, b] = now.next;
      choices.push(side ? [b, a] : [a, b]);
      await tell(ask);
      busy = false;
    }
    const begin = button('Begin', async () => {
      choices.length = 0;
      stage.replaceChildren(empty('The pictures are being looked at.'));
      const result = await make({ tool: 'index', inputs: [set.value()], flags: {} });
      index = result.index;
      await ask();
    });
    const finish = button('Write the ranking', async () => {
      const { pairs } = await send('POST', '/api/ranking', { index, choices, writes: true });
      const result = await make({ tool: 'rank', flags: { index, pairs } });
      stage.append(recipe(result), h('img', { src: `/files/${result.sheet.id}`, alt: 'The pictures by rank', style: 'max-width: 100%' }));
    }, '');
    finish.disabled = true;
    finish.addEventListener('ended', () => { finish.disabled = !choices.length; });
    controls.append(set.element, begin, button('Take the last answer back', async () => { choices.pop(); if (index) await ask(); }, ''), finish);
    stage.append(empty('Choose a set of pictures, then “Begin”.'));
    const keys = event => { if (now && !event.target.closest('select, input, dialog')) { if (event.key === 'ArrowLeft') pick(0); if (event.key === 'ArrowRight') pick(1); } };
    document.addEventListener('keydown', keys);
    return () => document.removeEventListener('keydown', keys);
  },
};

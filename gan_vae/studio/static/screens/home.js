// Where a person begins: a picture of theirs, or a model's.

import { h, head, drop, image, frame, tile } from '../parts.js';
import { state } from '../state.js';

const CARDS = [
  ['sample', 'Sample', 'New pictures of the model, by class or by words.'],
  ['breed', 'Breed', 'Choose parents, and see their children.'],
  ['shape', 'Shape', 'Sliders that change one picture, seen at once.'],
  ['taste', 'Taste', 'Choose the better of two; your taste is learned.'],
];
const GIVEN = [
  ['repair', 'Repair it', 'Take out what you paint; less noise; sharper; larger.'],
  ['style', 'Style it', 'The look of another picture, five ways side by side.'],
  ['mine', 'Find it in the model', 'The nearest picture that the model can draw, to breed and shape.'],
  ['translate', 'Translate it', 'By a network from picture to picture.'],
];

export default {
  title: 'Home', noModel: true,
  async show(root) {
    const cards = h('div', { className: 'cards' });
    const place = h('div', { className: 'stack' });
    const given = id => {
      const { picture } = state.pictures.get(id);
      place.replaceChildren(frame(picture, image(picture, 1024)), h('h2', {}, 'What do you want to do with it?'),
        h('div', { className: 'cards' }, GIVEN.map(([name, title, text]) => h('a', { className: 'card', href: `#/${name}/${id}` }, h('h2', {}, title), h('p', { className: 'quiet' }, text)))));
      place.scrollIntoView({ block: 'nearest' });
    };
    cards.append(...CARDS.map(([name, title, text]) => h('a', { className: 'card', href: `#/${name}` }, h('h2', {}, title), h('p', { className: 'quiet' }, text))));
    const kept = state.keptInOrder.map(id => state.pictures.get(id)?.picture).filter(Boolean).slice(0, 24);
    const newest = state.results.filter(r => ['sample', 'breed', 'move', 'style'].includes(r.tool)).flatMap(r => r.pictures.slice(0, 6)).slice(0, 24);
    const strip = (title, pictures) => pictures.length ? [h('h2', {}, title), h('div', { className: 'grid strip' }, pictures.map(p => tile(p)))] : null;
    root.append(h('div', { className: 'stage' }, head('Make something', 'Drop a picture, or begin with what a model draws. Everything is made and kept on this machine.'),
      drop(given), place, h('h2', {}, 'Begin with the model'), cards,
      strip('What you kept', kept), strip('What was made last', newest)));
  },
};

// Trainings: samples, curves, and when they will end.

import { get } from '../server.js';
import { h, head, empty, tell } from '../parts.js';

const EVERY = 5000; // milliseconds

const duration = s => s > 5400 ? `${(s / 3600).toFixed(1)} h` : s > 90 ? `${Math.round(s / 60)} min` : `${Math.round(s)} s`;
const text = v => Math.abs(v) >= 1e4 || (v && Math.abs(v) < 1e-3) ? v.toExponential(2) : Number(v.toPrecision(4)).toString();

function chart(name, points) {
  const xs = points.map(p => p[0]), ys = points.map(p => p[1]);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 100 100');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `${name}, now ${text(ys.at(-1))}`);
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  line.setAttribute('points', points.map(([x, y]) => `${100 * (x - x0) / (x1 - x0 || 1)},${100 - 100 * (y - y0) / (y1 - y0 || 1)}`).join(' '));
  svg.append(line);
  return h('div', { className: 'chart' }, h('div', { className: 'row' }, h('h3', { className: 'grow' }, name), h('span', {}, text(ys.at(-1)))), svg, h('small', {}, `${text(y0)} to ${text(y1)}, steps ${x0} to ${x1}`));
}

export default {
  title: 'Watch', noModel: true,
  async show(root, id) {
    const stage = h('div', { className: 'stage' });
    root.append(stage);
    let ended = false, timer = null;
    async function paint() {
      const runs = await get('/api/runs');
      const parts = [head('Watch', 'Runs below the folder “runs”, and those that were named. What is training comes first.')];
      if (!runs.length) parts.push(empty('No runs are here yet. python launch.py --config=configs/vae_art.py begins one.'));
      const current = runs.find(r => r.id === id) || runs[0];
      parts.push(h('div', { className: 'tabs' }, runs.map(r => h('a', { className: 'button', href: `#/watch/${r.id}`, 'aria-current': r.id === current.id ? 'true' : null }, `${r.name}${r.training ? ' ●' : ''}`))));
      if (current) {
        const { about, curves } = await get(`/api/runs/${current.id}`);
        const left = about.seconds_left && about.training ? `, about ${duration(about.seconds_left)} left` : '';
        parts.push(h('h2', {}, about.name), h('progress', { max: about.steps, value: about.step, style: 'width: min(480px, 100%)' }),
          h('p', { className: 'quiet' }, `${about.config}: step ${about.step} of ${about.steps}${about.training ? '' : about.step >= about.steps ? ', ended' : ', not training now'}${left}`),
          h('div', { className: 'hero' }, h('img', { src: `/api/runs/${current.id}/picture?step=${about.step}`, alt: 'The newest samples', onerror: event => event.target.parentNode.remove() })),
          h('div', { className: 'cards' }, Object.entries(curves).filter(([, p]) => p.length > 1).map(([name, points]) => chart(name, points))));
      }
      if (!ended) stage.replaceChildren(...parts);
    }
    const again = async () => { await tell(paint); if (!ended) timer = setTimeout(again, EVERY); };
    await again();
    return () => { ended = true; clearTimeout(timer); };
  },
};

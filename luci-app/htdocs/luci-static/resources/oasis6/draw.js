'use strict';
'require baseclass';
'require oasis6.words as words';

/* Drawings in SVG. Nothing in them is told by colour alone: each state has a mark of its own shape, and its word. */

const SVG = 'http://www.w3.org/2000/svg';

/* LuCI's E() makes elements of HTML; this is the same for SVG. Strings among the children become text. */
function S(tag, attributes, ...children) {
	const node = document.createElementNS(SVG, tag);

	for (const key in attributes)
		if (attributes[key] != null)
			node.setAttribute(key, attributes[key]);

	for (const child of children)
		node.append(child);

	return node;
}

/* A disc with a tick, a triangle with !, a square with a cross, a ring with dots, a ring with a bar. */
const MARKS = {
	good: () => [ S('circle', { r: 8, 'class': 'o6-fill' }), S('path', { d: 'M-4 0l3 3 5-6', 'class': 'o6-sign' }) ],
	fair: () => [ S('path', { d: 'M0-9L9 7H-9z', 'class': 'o6-fill' }), S('path', { d: 'M0-4v5M0 4v.5', 'class': 'o6-sign' }) ],
	bad: () => [ S('rect', { x: -8, y: -8, width: 16, height: 16, rx: 2, 'class': 'o6-fill' }), S('path', { d: 'M-4-4l8 8M4-4l-8 8', 'class': 'o6-sign' }) ],
	wait: () => [ S('circle', { r: 8, 'class': 'o6-ring' }), S('path', { d: 'M-4 0h.5M0 0h.5M4 0h.5', 'class': 'o6-dots' }) ],
	off: () => [ S('circle', { r: 8, 'class': 'o6-ring' }), S('path', { d: 'M-4 0h8', 'class': 'o6-dots' }) ]
};

const MOODS = { up: 'good', serving: 'good', degraded: 'fair', failing: 'bad', down: 'bad', starting: 'wait', waiting: 'wait' };

const mood = state => MOODS[state] || 'off';

function mark(kind, x, y) {
	return S('g', { 'class': 'o6-mark o6-' + kind, transform: 'translate(%d %d)'.format(x, y) }, ...MARKS[kind]());
}

/* A text that ends with … where it would not fit; all of it is in the tooltip. */
function fitted(text, most) {
	const letters = Array.from(String(text ?? ''));

	return letters.length > most ? letters.slice(0, most - 1).join('') + '…' : letters.join('');
}

const WIDTH = 150, HEIGHT = 58, GAP = 14, LETTERS = 17;

/* A station of the way: a box with a mark, a name and a word below it. */
function box(it, x, y) {
	const node = S('g', { 'class': 'o6-box', transform: 'translate(%d %d)'.format(x, y) },
		S('title', {}, [ it.name, it.below, it.more ].filter(Boolean).join('\n')),
		S('rect', { width: WIDTH, height: HEIGHT, rx: 6 }),
		S('text', { x: 30, y: 24, 'class': 'o6-name' }, fitted(it.name, LETTERS - 2)),
		S('text', { x: 10, y: 46 }, fitted(it.below, LETTERS + 3)));

	node.append(mark(it.mood, 17, 19));

	return node;
}

/* Where the boxes of a row or column stand, around its middle. */
function spread(count, length, extent) {
	const step = length + GAP, all = count * step - GAP;

	return Array.from({ length: count }, (_, n) => (extent - all) / 2 + n * step);
}

/* LANs → router → uplinks → Internet: from left to right, or from top to bottom where it is narrow. */
function way(look, narrow) {
	const { status, uplinks } = look;
	const lans = words.list(status.lans).map(lan => ({
		name: lan.name, below: words.state(lan.state), mood: mood(lan.state), more: lan.why, line: lan.state == 'serving' ? 'active' : 'out'
	}));
	const ways = uplinks.map(it => ({
		name: it.name, below: '%s, %s'.format(words.state(it.state), words.role(it.role)), mood: mood(it.state), more: it.reason,
		line: it.role == 'active' && words.works(it) ? 'active' : it.role == 'out' || !words.works(it) ? 'out' : 'standby'
	}));
	const online = uplinks.some(it => it.role == 'active' && words.works(it)) || (!uplinks.length && status.default_route);
	const router = [ { name: _('This router'), below: words.state(status.state), mood: mood(status.state), line: '' } ];
	const internet = [ { name: _('Internet'), below: online ? _('within reach') : _('out of reach'), mood: online ? 'good' : 'bad', line: '' } ];
	const columns = [ lans, router, ways, internet ];
	const most = Math.max(1, lans.length, ways.length);
	const across = narrow ? Math.min(most, 2) : most;
	const length = narrow ? WIDTH : HEIGHT, depth = narrow ? HEIGHT : WIDTH, between = narrow ? 34 : 56;
	const extent = across * (length + GAP) - GAP + 2;

	/* narrow: rows of at most two boxes */
	const places = [];
	let at = 1;

	for (const column of columns) {
		const rows = narrow ? Array.from({ length: Math.ceil(column.length / 2) }, (_, n) => column.slice(2 * n, 2 * n + 2)) : [ column ];

		for (const row of rows) {
			spread(row.length, length, extent).forEach((off, n) => {
				const [ x, y ] = narrow ? [ off, at ] : [ at, off ];

				places.push({ it: row[n], x, y, column: columns.indexOf(column) });
			});
			at += depth + (narrow ? 12 : 0);
		}
		at += between - (narrow ? 12 : 0);
	}

	const deep = at - between + 1;
	const size = narrow ? [ extent, deep ] : [ deep, extent ];
	const svg = S('svg', {
		'class': 'o6-way', role: 'img', viewBox: '0 0 %d %d'.format(...size), width: size[0], height: size[1], preserveAspectRatio: 'xMidYMid meet'
	}, S('title', {}, _('The way from your networks to the Internet')),
	S('desc', {}, ways.concat(lans).map(it => '%s: %s'.format(it.name, it.below)).join('; ')));
	const end = (place, out) => narrow ? [ place.x + WIDTH / 2, place.y + (out ? HEIGHT : 0) ] : [ place.x + (out ? WIDTH : 0), place.y + HEIGHT / 2 ];
	const line = (from, to, kind) => {
		const [ x1, y1 ] = end(from, true), [ x2, y2 ] = end(to, false);
		const bend = narrow ? [ x1, (y1 + y2) / 2, x2, (y1 + y2) / 2 ] : [ (x1 + x2) / 2, y1, (x1 + x2) / 2, y2 ];

		svg.append(S('path', { 'class': 'o6-line o6-line-' + kind, d: 'M%d %dC%d %d %d %d %d %d'.format(x1, y1, ...bend, x2, y2) }));
	};
	const of = n => places.filter(place => place.column == n);
	const [ here ] = of(1), [ there ] = of(3);

	of(0).forEach(lan => line(lan, here, lan.it.line));
	of(2).forEach(up => {
		line(here, up, up.it.line);
		line(up, there, up.it.line);
	});
	if (!ways.length)
		line(here, there, online ? 'active' : 'out');

	places.forEach(place => svg.append(box(place.it, place.x, place.y)));

	return svg;
}

/* Bytes in a second as one says them. */
function rate(bytes) {
	const units = [ _('bit/s'), _('kbit/s'), _('Mbit/s'), _('Gbit/s') ];
	let bits = bytes * 8, n = 0;

	for (; bits >= 1000 && n < units.length - 1; n++)
		bits /= 1000;

	return '%s %s'.format(bits < 10 && n ? bits.toFixed(1) : Math.round(bits), units[n]);
}

/* Two lines of a traffic's last minutes, in and out, each a list of bytes in a second. */
function spark(into, out) {
	const width = 120, height = 28, most = Math.max(1, ...into, ...out);
	const points = list => list.map((value, n) => '%.1f,%.1f'.format(n * width / Math.max(1, list.length - 1), height - 1 - value / most * (height - 2))).join(' ');
	const now = list => rate(list[list.length - 1] || 0);

	return S('svg', { 'class': 'o6-spark', role: 'img', viewBox: '0 0 %d %d'.format(width, height), width, height },
		S('title', {}, words.put(_('in %s, out %s'), now(into), now(out))),
		S('polyline', { points: points(into), 'class': 'o6-in' }),
		S('polyline', { points: points(out), 'class': 'o6-out' }));
}

return baseclass.extend({
	way,
	spark,
	rate,
	mood,

	/* A mark beside text. */
	mark(kind) {
		return S('svg', { 'class': 'o6-mark-alone', viewBox: '-10 -10 20 20', width: 20, height: 20, 'aria-hidden': 'true' }, mark(kind, 0, 0));
	}
});

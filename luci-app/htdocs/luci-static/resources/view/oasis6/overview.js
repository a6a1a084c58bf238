'use strict';
'require view';
'require poll';
'require oasis6.daemon as daemon';
'require oasis6.draw as draw';
'require oasis6.table as table';
'require oasis6.words as words';

/* Seconds between two questions: for the state, and for the lists. */
const STATE_EVERY = 2, LISTS_EVERY = 10;
/* Points of a traffic line. */
const POINTS = 60;

const NARROW = window.matchMedia('(max-width: 820px)');

const KINDS = {
	address: () => _('address'),
	prefix: () => _('prefix'),
	registered: () => _('made by the host'),
	declined: () => _('refused by the host')
};

const kind = row => Object.hasOwn(KINDS, row.kind) ? KINDS[row.kind]() : String(row.kind ?? '');
const text = value => String(value ?? '');
const minutes = seconds => seconds == null ? _('for ever') : seconds < 3600 ? words.put(_('%d min'), Math.ceil(seconds / 60)) : words.duration(seconds);

/* A time that is counted down by tick(). */
function countdown(td, seconds) {
	if (seconds == null) {
		td.textContent = _('for ever');
		return;
	}
	td.dataset.until = Date.now() + seconds * 1000;
	td.textContent = words.duration(seconds);
}

/* Changes with what a countdown counts to, and not with every second. */
const until = seconds => seconds == null ? '' : String(Math.round((Date.now() / 1000 + seconds) / 5));

return view.extend({
	load() {
		return Promise.all([ daemon.look(), this.lists() ]);
	},

	lists() {
		return Promise.all([
			daemon.leases().catch(() => ({ rows: [], left_out: 0 })),
			daemon.names().catch(() => null)
		]);
	},

	render([ look, lists ]) {
		this.traffic = new Map();
		this.headline = E('p', {});
		this.markBox = E('span', {});
		this.notice = E('div', { 'class': 'alert-message warning', hidden: '' });
		this.frame = E('div', { 'class': 'o6-frame' });
		this.makeTables();

		const page = E('div', { 'class': 'o6' }, [
			E('link', { rel: 'stylesheet', href: L.resource('oasis6/style.css') }),
			E('h2', {}, [ _('IPv6') ]),
			E('div', { 'class': 'o6-headline', role: 'status', 'aria-live': 'polite' }, [ this.markBox, this.headline ]),
			this.notice,
			this.frame,
			this.uplinks.node,
			this.prefixes.node,
			this.lans.node,
			this.leases.node,
			this.names.node,
			this.moves.node
		]);

		this.page = page;
		this.show(look);
		this.showLists(lists);
		NARROW.addEventListener('change', () => this.drawWay());
		poll.add(() => daemon.look().then(next => this.show(next)), STATE_EVERY);
		poll.add(() => this.lists().then(next => this.showLists(next)), LISTS_EVERY);
		window.setInterval(() => this.tick(), 1000);

		return page;
	},

	makeTables() {
		this.uplinks = table.create({
			caption: _('Uplinks'),
			empty: _('No uplink is set up.'),
			key: row => row.name,
			columns: [
				{ title: _('Name'), text: row => text(row.name) },
				{ title: _('Type'), text: row => words.type(row.type) },
				table.state(),
				{ title: _('Use'), text: row => words.role(row.role) },
				{ title: _('Why'), text: row => text(row.reason) },
				{ title: _('Answers in'), numeric: true, text: row => row.rtt_ms == null ? '–' : words.put(_('%d ms'), row.rtt_ms) },
				{ title: _('Traffic'), text: row => this.flow(row.name), fill: (td, row) => this.drawFlow(td, row.name) }
			]
		});

		this.prefixes = table.create({
			caption: _('Prefixes'),
			empty: _('There is no prefix yet.'),
			key: row => row.source + ' ' + row.prefix,
			columns: [
				{ title: _('Prefix'), text: row => text(row.prefix) },
				{ title: _('From'), text: row => text(row.source) },
				{ title: _('For new connections'), text: row => until(row.preferred), fill: (td, row) => countdown(td, row.preferred) },
				{ title: _('Valid'), text: row => until(row.valid), fill: (td, row) => countdown(td, row.valid) }
			]
		});

		this.lans = table.create({
			caption: _('Networks'),
			empty: _('No network is set up.'),
			key: row => row.name,
			columns: [
				{ title: _('Name'), text: row => text(row.name) },
				{ title: _('Device'), text: row => text(row.device) },
				table.state(),
				{ title: _('Prefixes'), text: row => words.list(row.prefixes).map(it => it.prefix).join(', ') },
				{ title: _('Leases'), numeric: true, text: row => row.dhcp6 ? words.put(_('%d addresses, %d prefixes'), row.dhcp6.addresses, row.dhcp6.prefixes) : '–' },
				{ title: _('Why'), text: row => text(row.why) }
			]
		});

		this.leases = table.create({
			caption: _('Leases'),
			empty: _('Nobody has a lease.'),
			search: true,
			sorted: 0,
			key: row => row.lan + ' ' + row.resource,
			columns: [
				{ title: _('Host'), text: row => text(row.hostname) || '–' },
				{ title: _('Address or prefix'), text: row => text(row.resource), sort: row => table.address(row.resource) },
				{ title: _('Kind'), text: kind },
				{ title: _('Network'), text: row => text(row.lan) },
				{ title: _('Valid'), numeric: true, text: row => minutes(row.valid), sort: row => row.valid ?? Infinity },
				{ title: _('DUID'), text: row => text(row.duid) }
			]
		});

		this.names = table.create({
			caption: _('Names'),
			empty: _('No host has a name yet.'),
			search: true,
			sorted: 0,
			key: row => row.name,
			columns: [
				{ title: _('Name'), text: row => text(row.name) },
				{ title: _('Addresses'), text: row => words.list(row.addresses).join(', ') },
				{ title: _('From'), text: row => text(row.source) }
			]
		});

		this.moves = table.create({
			caption: _('Moves and outages'),
			empty: _('Nothing happened since the start.'),
			key: row => row.key,
			columns: [
				{ title: _('When'), text: row => row.when },
				{ title: _('From'), text: row => text(row.from) || _('nothing') },
				{ title: _('To'), text: row => text(row.to) || _('nothing') },
				{ title: _('Why'), text: row => text(row.why) },
				{ title: _('Outage'), numeric: true, text: row => row.outage_ms == null ? '–' : words.milliseconds(row.outage_ms) }
			]
		});
	},

	/* Brings what is seen in line with what the daemon says. */
	show(look) {
		const { mood, text: sentence } = words.headline(look);

		this.look = look;
		if (this.headline.textContent != sentence) {
			this.headline.textContent = sentence;
			this.markBox.replaceChildren(draw.mark(mood));
		}

		const notice = this.advice(look);
		this.notice.hidden = !notice;
		if (this.notice.textContent != notice)
			this.notice.textContent = notice;

		this.count(look.uplinks);
		this.drawWay();
		this.uplinks.update(look.uplinks);
		this.prefixes.update(words.list(look.status.prefixes));
		this.lans.update(words.list(look.status.lans));
		this.moves.update(look.moves.map(move => ({
			...move, when: words.clock(move.ago), key: '%d %s %s'.format(Math.round((Date.now() / 1000 - move.ago) / 5), move.from, move.to)
		})));
	},

	/* What to do where these pages can't show all. */
	advice(look) {
		switch (look.kind) {
		case 'missing':
			return _('Install the package oasis6.');
		case 'stopped':
			return _('Switch it on in the settings, or look at the log in Diagnose if it is on.');
		case 'mute':
			return _('Install the package oasis6 instead of oasis6-mini.');
		case 'older':
			return words.put(_('oasis6 %s is older than these pages: what it does not say is missing here.'), look.status.version ?? '');
		default:
			return '';
		}
	},

	showLists([ leases, names ]) {
		const note = list => list?.left_out ? words.put(_('%d more are not shown: there are too many.'), list.left_out) : '';

		this.leases.update(leases.rows, note(leases));
		this.names.node.hidden = !names;
		if (names)
			this.names.update(names.rows, note(names));
	},

	drawWay() {
		const { status, uplinks } = this.look;
		const shown = JSON.stringify([ NARROW.matches, status.state, status.default_route,
			words.list(status.lans).map(lan => [ lan.name, lan.state, lan.why ]), uplinks.map(it => [ it.name, it.state, it.role, it.reason ]) ]);

		if (shown == this.drawn)
			return;

		this.drawn = shown;
		this.frame.replaceChildren(draw.way(this.look, NARROW.matches));
	},

	/* Remembers how fast the counters of the uplinks grow. */
	count(uplinks) {
		const now = performance.now() / 1000;

		for (const it of uplinks) {
			if (!L.isObject(it.traffic))
				continue;

			const flow = this.traffic.get(it.name) ?? { into: [], out: [] };
			const { rx_bytes: rx, tx_bytes: tx } = it.traffic;
			const seconds = now - flow.at;

			if (seconds > 0.5) {
				/* a counter that began anew says nothing */
				flow.into = flow.into.concat(Math.max(0, rx - flow.rx) / seconds).slice(-POINTS);
				flow.out = flow.out.concat(Math.max(0, tx - flow.tx) / seconds).slice(-POINTS);
			}
			Object.assign(flow, { at: now, rx, tx });
			this.traffic.set(it.name, flow);
		}
	},

	flow(name) {
		const flow = this.traffic.get(name);

		return flow ? '%d %d'.format(flow.rx, flow.tx) : '';
	},

	drawFlow(td, name) {
		const { into, out } = this.traffic.get(name) ?? { into: [], out: [] };

		if (into.length)
			td.append(draw.spark(into, out));
	},

	tick() {
		this.page.querySelectorAll('[data-until]').forEach(td => {
			const text = words.duration((td.dataset.until - Date.now()) / 1000);

			if (td.textContent != text)
				td.textContent = text;
		});
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});

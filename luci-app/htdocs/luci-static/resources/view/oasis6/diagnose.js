'use strict';
'require view';
'require fs';
'require poll';
'require oasis6.daemon as daemon';
'require oasis6.table as table';
'require oasis6.words as words';

/* Lines of the log that are shown. */
const LINES = 100;

/* What to do about an uplink in this state. */
function remedy(it) {
	if (it.endpoint?.problem)
		return words.put(_('Look at the endpoint: %s'), it.endpoint.problem);

	switch (it.state) {
	case 'down':
		return it.type == 'native' || it.type == 'static' ? _('Look at the cable, and whether its interface is up.') : _('Look whether there is IPv4 to reach the other end.');
	case 'starting':
		return it.type == 'wireguard' ? _('Look whether the peer knows our public key.') : _('If it lasts, ask the provider whether there is IPv6 on this line.');
	case 'failing':
		return it.type == 'wireguard' ? _('Look whether the peer runs and knows our public key.') : _('The line is there but nothing comes back: restart the modem, or ask the provider.');
	case 'degraded':
		return _('Packets are lost on the way: look at the load of the line.');
	default:
		return '';
	}
}

/* Why packets were dropped, from all that counts them: [ { place, why, count } ]. */
function drops(look) {
	const rows = [];
	const take = (place, counts) => {
		for (const why in L.isObject(counts) ? counts : {})
			if (+counts[why])
				rows.push({ place, why, count: +counts[why] });
	};

	take(_('DHCPv6 server'), look.status.dhcp6?.dropped);
	for (const lan of words.list(look.status.lans))
		take(words.put(_('Advertisements on %s'), lan.name), lan.ra?.drops);
	for (const it of look.uplinks) {
		take(words.put(_('Advertisements from %s'), it.name), it.ra?.drops);
		take(words.put(_('DHCPv6 client of %s'), it.name), it.dhcp6?.dropped);
	}

	return rows;
}

return view.extend({
	load() {
		return Promise.all([ daemon.look(), this.log() ]);
	},

	log() {
		return fs.exec('/sbin/logread', [ '-e', 'oasis6' ]).then(
			said => String(said.stdout ?? '').trim().split('\n').slice(-LINES).join('\n') || _('The log says nothing of oasis6.'),
			error => words.put(_('The log can’t be read: %s'), error.message));
	},

	render([ look, log ]) {
		this.headline = E('p', { role: 'status' });
		this.uplinks = table.create({
			caption: _('Uplinks'),
			empty: _('No uplink is set up.'),
			key: row => row.name,
			columns: [
				{ title: _('Name'), text: row => row.name },
				table.state(),
				{ title: _('Why'), text: row => String(row.reason ?? '') },
				{ title: _('What to do'), text: row => remedy(row) || '–' }
			]
		});
		this.troubles = table.create({
			caption: _('Conflicts and troubles'),
			empty: _('There are none.'),
			columns: [
				{ title: _('Where'), text: row => String(row.place ?? '') },
				{ title: _('What'), text: row => String(row.message ?? '') },
				{ title: _('What to do'), text: row => String(row.remedy || '–') }
			]
		});
		this.refused = table.create({
			caption: _('What the kernel refuses'),
			empty: _('Nothing.'),
			columns: [
				{ title: _('What'), text: row => String(row.what ?? '') },
				{ title: _('Why'), text: row => String(row.message ?? '') }
			]
		});
		this.drops = table.create({
			caption: _('What was dropped, and why'),
			empty: _('Nothing was dropped.'),
			columns: [
				{ title: _('Where'), text: row => row.place },
				{ title: _('Why'), text: row => row.why.replace(/_/g, ' ') },
				{ title: _('How often'), numeric: true, text: row => String(row.count) }
			]
		});
		this.logBox = E('pre', { 'class': 'o6-log', tabindex: 0, 'aria-label': _('Last lines of the log') });
		this.show(look);
		this.logBox.textContent = log;
		poll.add(() => daemon.look().then(next => this.show(next)), 5);

		return E('div', { 'class': 'o6' }, [
			E('link', { rel: 'stylesheet', href: L.resource('oasis6/style.css') }),
			E('h2', {}, [ _('Diagnose IPv6') ]),
			this.headline,
			/* a self-test with steps joins here as one more part */
			this.uplinks.node,
			this.troubles.node,
			this.refused.node,
			this.drops.node,
			E('section', { 'class': 'cbi-section' }, [ E('h3', {}, [ _('Last lines of the log') ]), this.logBox ])
		]);
	},

	show(look) {
		const sentence = words.headline(look).text;

		if (this.headline.textContent != sentence)
			this.headline.textContent = sentence;
		this.uplinks.update(look.uplinks);
		this.troubles.update(words.list(look.status.troubles));
		this.refused.update(words.list(look.status.kernel?.refused));
		this.drops.update(drops(look));
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});

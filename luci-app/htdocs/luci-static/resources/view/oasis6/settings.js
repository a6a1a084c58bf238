'use strict';
'require view';
'require form';
'require ui';
'require uci';
'require dom';
'require oasis6.daemon as daemon';
'require oasis6.draft as draft';
'require oasis6.labels as labels';
'require oasis6.schema as schema';
'require oasis6.wgquick as wgquick';
'require oasis6.words as words';

/* The tabs of the page, and what of a section stands in its table. */
const TABS = [
	[ 'uplink', _('Uplinks'), [ 'type', 'enabled', 'priority' ] ],
	[ 'lan', _('Networks'), [ 'enabled', 'interface', 'device', 'subnet' ] ],
	[ 'host', _('Known hosts'), [ 'name', 'mac', 'host_id' ] ],
	[ 'pinhole', _('Pinholes'), [ 'enabled', 'host', 'proto', 'port' ] ],
	[ 'prefix', _('Prefixes'), [ 'prefix', 'assign', 'delegate' ] ],
	[ 'oasis6', _('General'), [] ],
	[ 'dns', _('DNS'), [] ],
	[ 'key', _('Keys for updates'), [ 'algorithm', 'name' ] ],
	[ 'publish', _('Publishing'), [ 'zone' ] ]
];

const SECRET = [ 'private_key', 'preshared_key', 'secret' ];

/* Which tab of a section's form an option stands in. */
function tabOf(kind, name) {
	if (kind == 'lan')
		return /^(ra|pref64|captive|dnr)/.test(name) ? 'ra' : /^dhcp6/.test(name) ? 'dhcp6' : 'general';
	if (kind == 'uplink')
		return /^(probe|mtu|request|reconfigure|share|private_key_file|listen|keepalive|ttl|update)/.test(name) ? 'more' : 'general';

	return 'general';
}

const TAB_TITLES = { general: () => _('General'), ra: () => _('Advertisements'), dhcp6: () => _('DHCPv6'), more: () => _('More') };

const CHOICES = { auto: () => _('by itself'), off: () => _('off'), '0': () => _('no'), '1': () => _('yes') };

const label = (kind, name) => labels[kind]?.[name] ?? name;

function isFlag(it) {
	return it.choices?.join() == '0,1';
}

/* An option's field from what the schema says of it. */
function field(section, kind, name, it, table) {
	const Class = isFlag(it) ? form.Flag : it.list ? form.DynamicList : it.choices ? form.ListValue : form.Value;
	const help = it.unit ? words.put(_('%s In %s.'), it.help, it.unit) : it.help;
	const title = label(kind, name);
	const option = section.tabs ? section.taboption(tabOf(kind, name), Class, name, title, help) : section.option(Class, name, title, help);

	if (isFlag(it)) {
		option.default = it.default_value;
	}
	else {
		const missing = it.default_value ?? it.otherwise ?? '';

		if (it.choices && !it.list && missing)
			option.value('', words.put(_('usual (%s)'), missing));
		for (const choice of it.choices ?? [])
			option.value(choice, kind == 'uplink' && name == 'type' ? words.type(choice) : CHOICES[choice]?.() ?? choice);
		if (!it.choices)
			option.datatype = it.datatype;
		option.placeholder = missing;
		option.optional = option.rmempty = missing != '';
	}
	if (name == 'lan')
		uci.sections('oasis6', 'lan').forEach(lan => option.value(lan['.name']));
	if (kind == 'pinhole' && name == 'host')
		uci.sections('oasis6', 'host').filter(host => host.name).forEach(host => option.value(host.name));
	if (SECRET.includes(name))
		option.password = true;
	for (const type of it.of ?? [])
		option.depends('type', type);
	if (table && !table.includes(name))
		option.modalonly = true;

	return option;
}

/* Our public key, which the peer has to know; the router makes the private one. */
const PublicKey = form.DummyValue.extend({
	renderWidget(sid) {
		const shown = E('output', {}, [ this.known?.[sid] ?? _('There is none yet.') ]);

		return E('div', { 'class': 'o6-key' }, [ shown, ' ', E('button', {
			'class': 'btn cbi-button', type: 'button',
			click: ui.createHandlerFn(this, () => daemon.key(sid).then(key => { shown.textContent = key ?? _('The router could not make a key.'); }))
		}, [ _('Make a key') ]) ]);
	},

	formvalue: () => null,
	parse: () => Promise.resolve()
});

/* One problem in words. */
function sentence(problem) {
	const place = [ problem.section, problem.option ].filter(Boolean).join(', ');

	return [ place && place + ': ', problem.message, problem.remedy && '; ' + problem.remedy ].filter(Boolean).join('');
}

/* Shows a problem at its field, if that is on the page. */
function mark(root, problem) {
	const sid = draft.find(problem.section);
	const place = root?.querySelector('[data-field="cbid.oasis6.%s.%s"]'.format(CSS.escape(sid ?? ''), CSS.escape(problem.option ?? '')));

	if (!place)
		return false;

	const id = 'o6-problem-%s-%s'.format(sid, problem.option);
	const input = place.querySelector('input, select, textarea');
	const note = E('p', { id, 'class': 'o6-problem', role: 'alert' }, [ [ problem.message, problem.remedy ].filter(Boolean).join('; ') ]);

	(place.querySelector('.cbi-value-field') ?? place).append(note);
	if (input) {
		input.classList.add('cbi-input-invalid');
		input.setAttribute('aria-invalid', 'true');
		input.setAttribute('aria-describedby', id);
		place.addEventListener('input', () => {
			note.remove();
			input.classList.remove('cbi-input-invalid');
			input.removeAttribute('aria-invalid');
			input.removeAttribute('aria-describedby');
		}, { once: true });
	}

	return true;
}

/* Asks oasis6 about the draft. Fails with the errors of one section, or of all, shown at their fields. */
function verify(map, sid) {
	draft.keep();
	map.root.querySelectorAll('.o6-problem').forEach(note => note.remove());

	return daemon.check(draft.text()).catch(() => null).then(problems => {
		const errors = (problems ?? []).filter(it => it.severity == 'error' && (sid == null || draft.find(it.section) == sid));

		if (!errors.length)
			return;

		const elsewhere = errors.filter(it => !mark(map.root, it));

		ui.tabs.updateTabs(null, map.root);
		map.root.querySelector('[aria-invalid]')?.focus();
		if (elsewhere.length)
			map.root.prepend(E('div', { 'class': 'alert-message error o6-problem', role: 'alert' }, [ E('ul', {}, elsewhere.map(it => E('li', {}, [ sentence(it) ]))) ]));

		throw new Error(errors.map(sentence).join('\n'));
	});
}

return view.extend({
	load() {
		return Promise.all([ uci.load('oasis6'), daemon.look().catch(() => ({ uplinks: [] })) ]);
	},

	render([ , look ]) {
		const map = this.map = new form.Map('oasis6', _('IPv6 settings'));

		map.tabbed = true;
		this.keys = {};
		look.uplinks.forEach(it => { if (it.public_key) this.keys[it.name] = it.public_key; });
		for (const [ kind, title, table ] of TABS)
			if (schema.sections[kind])
				this.section(map, kind, title, table, schema.sections[kind]);

		return map.render().then(node => E('div', { 'class': 'o6' }, [
			E('link', { rel: 'stylesheet', href: L.resource('oasis6/style.css') }),
			this.offer(),
			node
		]));
	},

	section(map, kind, title, table, it) {
		const grid = table.length > 0;
		const section = map.section(grid ? form.GridSection : form.TypedSection, kind, title, it.help);

		section.anonymous = !it.named;
		section.addremove = grid;
		if (grid) {
			const tabs = new Set(Object.keys(it.options).map(name => tabOf(kind, name)));

			tabs.forEach(tab => section.tab(tab, TAB_TITLES[tab]()));
			section.modaltitle = sid => words.put('%s: %s', title, it.named ? sid : uci.get('oasis6', sid, 'name') ?? uci.get('oasis6', sid, 'host') ?? '');
			section.sortable = false;
			section.nodescriptions = true;
			section.addModalOptions = modal => {
				const save = modal.map.save, sid = modal.section;

				modal.map.save = function(cb, silent) {
					return save.call(this, () => Promise.resolve(cb?.()).then(() => verify(this, sid)), silent).then(done => {
						draft.forget();
						return done;
					});
				};
			};
		}
		for (const name in it.options)
			field(section, kind, name, it.options[name], grid ? table : null);
		if (kind == 'uplink') {
			const key = section.taboption('general', PublicKey, '_public_key', _('Our public key'), _('The peer has to know it. The private key stays on the router.'));

			key.known = this.keys;
			key.modalonly = true;
			key.depends('type', 'wireguard');

			const add = section.renderSectionAdd;
			section.renderSectionAdd = (...args) => {
				const node = add.apply(section, args);

				node.querySelector('input')?.setAttribute('aria-label', _('Name of the new uplink'));
				node.append(' ', E('button', { 'class': 'btn cbi-button', type: 'button', click: () => this.importFile(section), disabled: map.readonly || null }, [ _('Import a wg-quick file…') ]));

				return node;
			};
		}
	},

	/* Asks for a file of wg-quick, and opens the form of the uplink that it makes. */
	importFile(section) {
		const name = E('input', { type: 'text', id: 'o6-import-name', 'class': 'cbi-input-text', value: 'wg' });
		const text = E('textarea', { id: 'o6-import-text', rows: 12, style: 'width:100%', spellcheck: 'false' });
		const said = E('div', { role: 'alert' });
		const file = E('input', { type: 'file', 'aria-label': _('File'), change: () => file.files[0]?.text().then(it => { text.value = it; }) });
		const take = () => {
			const { options, problems } = wgquick.parse(text.value);

			if (!/^\w+$/.test(name.value) || uci.get('oasis6', name.value))
				problems.unshift({ line: 0, message: _('The name is taken, or has other letters than a to z, digits and _.') });
			said.replaceChildren(...problems.map(it => E('p', { 'class': 'o6-problem' }, [ it.line ? words.put(_('Line %d: %s'), it.line, it.message) : it.message ])));
			if (problems.length)
				return;

			uci.add('oasis6', 'uplink', name.value);
			uci.set('oasis6', name.value, 'type', 'wireguard');
			for (const option in options)
				uci.set('oasis6', name.value, option, options[option]);
			section.map.addedSection = name.value;
			ui.hideModal();

			return section.renderMoreOptionsModal(name.value);
		};

		ui.showModal(_('Import a wg-quick file'), [
			E('div', { 'class': 'o6' }, [
				E('p', {}, [ E('label', { 'for': 'o6-import-name' }, [ _('Name of the new uplink') ]), ' ', name ]),
				E('p', {}, [ file ]),
				E('p', {}, [ E('label', { 'for': 'o6-import-text' }, [ _('Or its text') ]), text ]),
				said
			]),
			E('div', { 'class': 'button-row' }, [
				E('button', { 'class': 'btn cbi-button', click: ui.hideModal }, [ _('Cancel') ]), ' ',
				E('button', { 'class': 'btn cbi-button cbi-button-positive important', click: take }, [ _('Import') ])
			])
		]);
		name.focus();
	},

	/* What was typed before a login, if something was. */
	offer() {
		const kept = draft.kept();
		const note = E('div', { 'class': 'alert-message notice', hidden: kept ? null : '' }, [
			E('p', {}, [ _('Something was typed before the last session ended, and not saved. Keys are not kept.') ]),
			E('button', { 'class': 'btn cbi-button', click: ui.createHandlerFn(this, () => {
				draft.restore(kept);
				note.hidden = true;
				return this.map.load().then(() => this.map.reset());
			}) }, [ _('Put it back') ]), ' ',
			E('button', { 'class': 'btn cbi-button', click: () => { draft.forget(); note.hidden = true; } }, [ _('Forget it') ])
		]);

		return note;
	},

	handleSave() {
		return this.map.save(() => verify(this.map), true).then(() => draft.forget()).catch(error => {
			ui.addNotification(null, E('p', {}, [ words.put(_('Nothing was saved. %s'), error.message ?? '') ]), 'danger');
			throw error;
		});
	},

	/* Says what will change before LuCI applies it, with its confirmation or roll-back. */
	handleSaveApply(ev, mode) {
		return this.handleSave().then(() => daemon.plan(draft.text()).catch(() => null)).then(plan => {
			if (!plan)
				return ui.changes.apply(mode == '0');

			const ops = plan.ops.map(op => E('li', {}, [ words.put(op.op == 'delete' ? _('%s is removed') : _('%s is set'), op.object), op.value ? ' (' + op.value + ')' : '' ]));
			const troubles = (plan.troubles ?? []).map(it => E('li', {}, [ [ it.place, it.message, it.remedy ].filter(Boolean).join('; ') ]));

			ui.showModal(_('What this will change'), [
				plan.enabled === false ? E('p', {}, [ _('oasis6 is switched off, so that nothing changes until it is switched on. It would be:') ]) : '',
				ops.length ? E('ul', { 'class': 'o6-log' }, ops) : E('p', {}, [ _('Nothing changes on the network at once.') ]),
				troubles.length ? E('div', { 'class': 'alert-message warning' }, [ E('ul', {}, troubles) ]) : '',
				E('div', { 'class': 'button-row' }, [
					E('button', { 'class': 'btn cbi-button', click: ui.hideModal }, [ _('Back') ]), ' ',
					E('button', { 'class': 'btn cbi-button cbi-button-apply important', click: () => {
						ui.hideModal();
						ui.changes.apply(mode == '0');
					} }, [ _('Apply') ])
				])
			]);
		}, () => {});
	}
});

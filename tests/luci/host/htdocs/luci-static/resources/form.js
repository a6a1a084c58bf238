'use strict';
'require baseclass';
'require ui';
'require uci';
'require rpc';
'require dom';
'require host.values as values';
'require host.sections as sections';
'require host.element as element';

/* LuCI's forms: a map of one configuration, sections (host/sections.js) and values (host/values.js) in it. */

const mayWrite = rpc.declare({ object: 'session', method: 'access', params: [ 'scope', 'object', 'function' ], expect: { access: false } });

const Map = element.extend({
	__init__(config, ...texts) {
		this.super('__init__', texts);
		Object.assign(this, { config, parsechain: [ config ], data: uci });
	},

	chain(config) {
		if (!this.parsechain.includes(config))
			this.parsechain.push(config);
	},

	section(Kind, ...args) {
		const made = new Kind(this, ...args);
		this.append(made);
		return made;
	},

	findElements: function(...what) {
		return this.root.querySelectorAll(what.length == 1 ? what[0] : `[${what[0]}="${what[1]}"]`);
	},

	findElement(...what) {
		return this.findElements(...what)[0] ?? null;
	},

	load() {
		return Promise.all([
			this.readonly == null && this.data === uci ? mayWrite('uci', this.config, 'write') : true,
			...this.parsechain.map((config, at) => at ? L.resolveDefault(this.data.load(config)) : this.data.load(config))
		]).then(([ writable ]) => {
			if (!writable)
				this.readonly = true;
			return this.loadChildren();
		});
	},

	parse() {
		return Promise.all(this.children.map(child => child.parse()));
	},

	save(fn, silent) {
		this.checkDepends();
		return this.parse().then(fn).then(() => this.data.save()).then(() => this.load()).catch(error => {
			if (!silent)
				ui.showModal(_('Save error'), [
					E('p', {}, [ _('An error occurred while saving the form:') ]),
					E('p', {}, [ E('em', { 'style': 'white-space:pre-wrap' }, [ error.message ]) ]),
					E('div', { 'class': 'right' }, [ E('button', { 'class': 'cbi-button', 'click': ui.hideModal }, [ _('Dismiss') ]) ])
				]);
			throw error;
		}).then(() => this.renderContents());
	},

	reset() {
		return this.renderContents();
	},

	render() {
		return this.load().then(() => this.renderContents());
	},

	renderContents() {
		const root = this.root ??= E('div', { 'id': `cbi-${this.config}`, 'class': 'cbi-map', 'cbi-dependency-check': () => this.checkDepends() });

		dom.bindClassInstance(root, this);
		return this.renderChildren(null).then(nodes => {
			dom.content(root, null);
			if (this.title)
				root.appendChild(E('h2', { 'name': 'content' }, this.title));
			if (this.description)
				root.appendChild(E('div', { 'class': 'cbi-map-descr' }, this.description));
			dom.append(root, this.tabbed ? E('div', { 'class': 'cbi-map-tabbed' }, nodes) : nodes);
			this.checkDepends();
			root.querySelectorAll('.cbi-map-tabbed, .cbi-section-node-tabbed').forEach(group => ui.tabs.initTabGroup(group.childNodes));
			return root;
		});
	},

	lookupOption(name, section, config) {
		const id = name.includes('.') ? `cbid.${name}` : `cbid.${config ?? this.config}.${section}.${name}`;
		const node = this.findElement('data-field', id);
		const found = node && dom.findClassInstance(node);
		return found ? [ found, id.split('.')[2] ] : null;
	},

	checkDepends(ev, round = 0) {
		const changed = this.children.filter(child => child.checkDepends(ev, round)).length > 0;
		if (changed && round < 10)
			this.checkDepends(ev, round + 1);
		if (this.root)
			ui.tabs.updateTabs(ev, this.root);
	},

	/* One of the alternatives holds: every option named in it is there and has that value. */
	isDependencySatisfied(alternatives, config, section) {
		if (!alternatives?.length)
			return true;
		return alternatives.some(needs => {
			const holds = Object.entries(needs).filter(([ name ]) => !name.startsWith('!')).every(([ name, wanted ]) => {
				const [ option, at ] = this.lookupOption(name, section, config) ?? [];
				const value = option?.isActive(at) ? option.formvalue(at) : null;
				return needs['!contains'] ? (value ?? '').includes(wanted) : values.isEqual(value, wanted);
			});
			return holds != Boolean(needs['!reverse']);
		}) || alternatives.some(needs => needs['!default']);
	}
});

/* Data of a JavaScript object in place of UCI: { type: [ { option: value } ] or section: { … } } */
const JSONData = baseclass.extend({
	__init__(data) {
		this.data = {};
		for (const [ type, what ] of Object.entries(data ?? {}))
			for (const section of Array.isArray(what) ? what : [ what ]) {
				const index = Object.keys(this.data).length;
				const name = section['.name'] ?? (Array.isArray(what) ? type + index : type);
				this.data[name] = Object.assign(section, { '.name': name, '.type': type, '.index': index, '.anonymous': section['.name'] == null });
			}
	},

	load() { return Promise.resolve(this.data); },
	save: () => Promise.resolve(),
	get(config, section, option) { return option == null ? this.data[section] ?? null : this.data[section]?.[option] ?? null; },
	set(config, section, option, value) {
		if (value == null)
			delete this.data[section]?.[option];
		else if (this.data[section])
			this.data[section][option] = value;
	},
	unset(config, section, option) { this.set(config, section, option, null); },
	sections(config, type) { return Object.values(this.data).filter(section => !type || section['.type'] == type); },
	add(config, type, name) {
		const index = Object.keys(this.data).length;
		const own = name ?? type + index;
		this.data[own] = { '.name': own, '.type': type, '.index': index, '.anonymous': !name };
		return own;
	},
	remove(config, section) { delete this.data[section]; },
	resolveSID: (config, section) => section
});

const JSONMap = Map.extend({
	__init__(data, ...texts) {
		this.super('__init__', [ 'json', ...texts ]);
		this.data = new JSONData(data);
	}
});

/* A section within a section. */
const SectionValue = values.kinds.Value.extend({
	__init__(map, section, option, Kind, ...args) {
		this.super('__init__', [ map, section, option ]);
		this.subsection = new Kind(this.map, ...args);
		this.subsection.parentoption = this;
	},

	load(section) { return this.subsection.load(section); },
	parse(section) { return this.subsection.parse(section); },
	renderWidget(section) { return this.subsection.render(section); },
	checkDepends(section) {
		this.subsection.checkDepends(section);
		return this.super('checkDepends', [ section ]);
	},
	value() {},
	write() {},
	remove() {},
	cfgvalue: () => null,
	formvalue: () => null
});

sections.useMap(Map, JSONMap);

return baseclass.extend({ Map, JSONMap, SectionValue, ...values.kinds, ...sections.kinds });

'use strict';
'require baseclass';
'require ui';
'require dom';
'require host.element as element';

/* The sections of a form: one that is named, all of a type one below the other, or as rows of a table with a modal. */

let Map, JSONMap;

const AbstractSection = element.extend({
	__init__(map, type, ...texts) {
		this.super('__init__', texts);
		Object.assign(this, { map, sectiontype: type, config: map.config, addremove: false });
	},

	own() { return this.uciconfig ?? this.map.config; },
	filter: () => true,

	load() {
		return Promise.all(this.cfgsections().map(section => this.loadChildren(section).then(found => {
			this.children.filter(child => !child.disable).forEach((child, at) => child.cfgvalue(section, found[at]));
		})));
	},

	parse() {
		return Promise.all(this.cfgsections().flatMap(section => this.parsed().map(child => child.parse(section))));
	},

	parsed() { return this.children; },

	tab(name, title, description) {
		this.tabs ??= [];
		this.tab_names ??= [];
		if (this.tabs[name])
			throw new Error('Tab already declared');
		const tab = { name, title, description, children: [] };
		this.tabs.push(tab);
		this.tabs[name] = tab;
		this.tab_names.push(name);
	},

	option(Kind, ...args) {
		const made = new Kind(this.map, this, ...args);
		this.append(made);
		return made;
	},

	taboption(tab, ...args) {
		if (!this.tabs?.[tab])
			L.error('ReferenceError', 'Associated tab not declared');
		const made = this.option(...args);
		made.tab = tab;
		this.tabs[tab].children.push(made);
		return made;
	},

	getOption(name) { return this.children.find(child => child.option == name) ?? null; },
	cfgvalue(section, name) { return this.getOption(name)?.cfgvalue(section) ?? null; },
	getUIElement(section, name) { return this.getOption(name)?.getUIElement(section) ?? null; },
	formvalue(section, name) {
		const option = this.getOption(name);
		return (this.map.root ? option?.formvalue(section) : option?.cfgvalue(section)) ?? null;
	},

	renderUCISection(section) {
		if (!this.tabs)
			return this.renderOptions(null, section);
		return Promise.all(this.tab_names.map(name => this.renderOptions(name, section))).then(panes => E([], this.tab_names.map((name, at) => E('div', {
			'id': `container.${this.own()}.${section}.${name}`, 'data-tab': name, 'data-tab-title': this.tabs[name].title, 'data-tab-active': false
		}, [ this.tabs[name].description ? E('div', { 'class': 'cbi-tab-descr' }, this.tabs[name].description) : null, panes[at] ]))));
	},

	renderOptions(tab, section) {
		return this.renderChildren(tab, section, this.inTable).then(nodes => E([], nodes));
	},

	checkDepends(ev, round) {
		let changed = false;
		for (const section of this.cfgsections())
			for (const option of this.children) {
				const active = option.isActive(section), wanted = option.checkDepends(section);
				if (active != wanted && option.field(section)) {
					option.setActive(section, wanted);
					changed = true;
				}
				if (!round && wanted)
					option.triggerValidation(section);
			}
		return changed;
	},

	button(name, title, fn, ...args) {
		return E('button', { 'class': `btn cbi-button cbi-button-${name}`, 'title': title, 'click': ui.createHandlerFn(this, fn, ...args),
			'disabled': this.map.readonly || null }, [ title ]);
	},

	frame(attributes) {
		const node = E('div', { 'id': `cbi-${this.own()}-${this.sectiontype}`, 'class': 'cbi-section', ...this.map.tabbed && !this.parentoption
			? { 'data-tab': this.sectiontype, 'data-tab-title': this.title || this.sectiontype } : {}, ...attributes });
		if (this.title && !this.hidetitle)
			node.appendChild(E('h3', {}, this.title));
		if (this.description)
			node.appendChild(E('div', { 'class': 'cbi-section-descr' }, this.description));
		dom.bindClassInstance(node, this);
		return node;
	},

	inner(section, nodes) {
		return E('div', { 'id': `cbi-${this.own()}-${section}`, 'class': `cbi-section-node${this.tabs ? ' cbi-section-node-tabbed' : ''}`, 'data-section-id': section }, [ nodes ]);
	}
});

const NamedSection = AbstractSection.extend({
	__init__(map, section, ...args) {
		this.super('__init__', [ map, ...args ]);
		this.section = section;
	},

	cfgsections() { return [ this.section ]; },
	handleAdd() {
		this.map.data.add(this.own(), this.sectiontype, this.section);
		return this.map.save(null, true);
	},
	handleRemove() {
		this.map.data.remove(this.own(), this.section);
		return this.map.save(null, true);
	},

	render() {
		return Promise.resolve(this.renderUCISection(this.section)).then(nodes => {
			const there = this.map.data.get(this.own(), this.section);
			const node = this.frame(there ? { 'id': null } : {});
			if (there && this.addremove)
				node.appendChild(E('div', { 'class': 'cbi-section-remove right' }, [ this.button('remove', this.titleFn('delbtntitle', this.section) ?? _('Delete'), 'handleRemove') ]));
			if (there)
				node.appendChild(this.inner(this.section, nodes));
			else if (this.addremove)
				node.appendChild(this.button('add', this.titleFn('addbtntitle', this.section) ?? _('Add'), 'handleAdd'));
			return node;
		});
	}
});

const TypedSection = AbstractSection.extend({
	cfgsections() {
		return this.map.data.sections(this.own(), this.sectiontype).map(section => section['.name']).filter(section => this.filter(section));
	},

	handleAdd(ev, name) {
		this.map.data.add(this.own(), this.sectiontype, name);
		return this.map.save(null, true);
	},

	handleRemove(section) {
		this.map.data.remove(this.own(), section);
		return this.map.save(null, true);
	},

	renderSectionAdd(extra = '') {
		if (!this.addremove)
			return E([]);

		const title = this.titleFn('addbtntitle') ?? _('Add');
		const node = E('div', { 'class': `cbi-section-create ${extra}` });
		if (this.anonymous) {
			node.appendChild(this.button('add', title, 'handleAdd'));
			return node;
		}

		const input = E('input', { 'type': 'text', 'class': 'cbi-section-create-name', 'disabled': this.map.readonly || null });
		const button = this.button('add', title, ev => input.classList.contains('cbi-input-invalid') ? null : this.handleAdd(ev, input.value));
		button.disabled = true;
		dom.append(node, [ E('div', {}, [ input ]), button ]);
		ui.addValidator(input, 'uciname', true, value => {
			button.disabled = value === '';
			return value !== '' || _('Expecting: %s').format(_('non-empty value'));
		}, 'blur', 'keyup');
		return node;
	},

	renderSectionPlaceholder: () => E('em', {}, [ _('This section contains no values yet') ]),

	render() {
		const names = this.cfgsections();
		return Promise.all(names.map(section => this.renderUCISection(section))).then(nodes => this.renderContents(names, nodes));
	},

	renderContents(names, nodes) {
		const node = this.frame();
		names.forEach((section, at) => {
			if (this.addremove)
				node.appendChild(E('div', { 'class': 'cbi-section-remove right' }, [ this.button('remove', this.titleFn('delbtntitle', section) ?? _('Delete'), 'handleRemove', section) ]));
			if (!this.anonymous)
				node.appendChild(E('h3', {}, [ section.toUpperCase() ]));
			node.appendChild(this.inner(section, nodes[at]));
		});
		dom.append(node, [ names.length ? null : this.renderSectionPlaceholder(), this.renderSectionAdd() ]);
		return node;
	}
});

const TableSection = TypedSection.extend({
	inTable: true,

	columns() { return this.children.filter(child => !child.modalonly && !child.disable); },
	named() { return !this.anonymous || this.sectiontitle; },

	renderContents(names, nodes) {
		const titles = this.columns().map(child => E('th', { 'class': 'th cbi-section-table-cell', 'data-widget': child.__name__ }, child.title));
		const acts = this.addremove || this.extedit || this.renderMore;
		const head = E('tr', { 'class': 'tr cbi-section-table-titles' }, [ this.named() ? E('th', { 'class': 'th cbi-section-table-cell' }, [ _('Name') ]) : null, ...titles,
			acts ? E('td', { 'class': 'th cbi-section-table-cell cbi-section-actions' }) : null ]);
		const rows = names.map((section, at) => {
			const title = this.titleFn('sectiontitle', section) ?? section;
			return E('tr', { 'id': `cbi-${this.own()}-${section}`, 'class': 'tr cbi-section-table-row', 'data-sid': section, 'data-section-id': section,
				'data-title': this.named() ? title : null }, [
				this.named() ? E('td', { 'class': 'td cbi-value-field cbi-section-table-titles' }, [ title ]) : null, nodes[at], acts ? this.renderRowActions(section) : null ]);
		});
		if (!rows.length)
			rows.push(E('tr', { 'class': 'tr cbi-section-table-row placeholder' }, [ E('td', { 'class': 'td', 'colspan': head.children.length }, [ this.renderSectionPlaceholder() ]) ]));

		const node = this.frame({ 'class': 'cbi-section cbi-tblsection' });
		dom.append(node, [ E('table', { 'class': 'table cbi-section-table' }, [ E('thead', { 'class': 'thead cbi-section-thead' }, [ head ]), E('tbody', { 'class': 'tbody' }, rows) ]),
			this.renderSectionAdd('cbi-tblsection-create') ]);
		return node;
	},

	renderRowActions(section) {
		const actions = E('div');
		if (this.extedit)
			actions.appendChild(E('button', { 'class': 'btn cbi-button cbi-button-edit', 'click': () => { location.href = this.extedit.format(section); } }, [ _('Edit') ]));
		if (this.renderMore)
			actions.appendChild(this.button('edit', _('Edit'), 'renderMoreOptionsModal', section));
		if (this.addremove)
			actions.appendChild(this.button('remove', this.titleFn('delbtntitle', section) ?? _('Delete'), 'handleRemove', section));
		return E('td', { 'class': 'td cbi-section-table-cell nowrap cbi-section-actions' }, [ actions ]);
	}
});

/* Rows show texts; all options of a row are in its modal. */
const GridSection = TableSection.extend({
	renderMore: true,
	addModalOptions() {},

	renderUCISection(section) { return this.renderOptions(null, section); },
	parsed() { return this.children.filter(child => child.editable && !child.modalonly); },

	renderChildren(tab, section) {
		return Promise.all(this.columns().map((child, index) => child.editable ? child.render(index, section, true) : E('td', {
			'class': 'td cbi-value-field', 'data-title': this.stripTags(child.title).trim() || null, 'data-name': child.option, 'data-widget': 'CBI.DummyValue'
		}, child.textvalue(section) ?? E('em', {}, [ _('none') ]))));
	},

	handleAdd(ev, name) {
		const section = this.map.data.add(this.own(), this.sectiontype, name);
		this.map.addedSection = section;
		return this.renderMoreOptionsModal(section);
	},

	cloneOptions(to) {
		for (const option of this.children) {
			if (option.modalonly === false)
				continue;
			const copy = to.option(option.constructor, option.option, option.title, option.description);
			for (const [ key, value ] of Object.entries(option))
				if (![ 'map', 'section', 'option', 'title', 'description', '__super__' ].includes(key))
					copy[key] = value;
		}
	},

	handleModalCancel(map, ev, saving) {
		if (this.map.addedSection != null && !saving)
			this.map.data.remove(this.own(), this.map.addedSection);
		delete this.map.addedSection;
		ui.hideModal();
		return Promise.resolve();
	},

	handleModalSave(map) {
		return map.save(null, true).then(() => this.map.load()).then(() => this.map.reset()).then(() => this.handleModalCancel(map, null, true)).catch(() => {});
	},

	renderMoreOptionsModal(section, ev) {
		const map = this.map instanceof JSONMap ? new JSONMap(null) : new Map(this.map.config);
		Object.assign(map, { data: this.map.data, parent: this.map, section, readonly: this.map.readonly });
		const inside = map.section(NamedSection, section, this.sectiontype);
		Object.assign(inside, { tabs: this.tabs && Object.assign([ ...this.tabs ], Object.fromEntries(this.tabs.map(tab => [ tab.name, tab ]))), tab_names: this.tab_names?.slice() });
		this.cloneOptions(inside);

		return Promise.resolve(this.addModalOptions(inside, section, ev)).then(() => map.render()).then(nodes => {
			const name = this.titleFn('sectiontitle', section) ?? (this.anonymous ? null : section);
			ui.showModal(this.titleFn('modaltitle', section) ?? (name ? '%s - %s'.format(this.map.title, name) : this.map.title), [
				nodes,
				E('div', { 'class': 'button-row' }, [
					E('button', { 'class': 'btn cbi-button', 'click': ui.createHandlerFn(this, 'handleModalCancel', map) }, [ _('Dismiss') ]), ' ',
					E('button', { 'class': 'btn cbi-button cbi-button-positive important', 'click': ui.createHandlerFn(this, 'handleModalSave', map), 'disabled': map.readonly || null }, [ _('Save') ])
				])
			], 'cbi-modal');
		}).catch(L.error);
	}
});

return baseclass.extend({
	useMap(map, json) {
		Map = map;
		JSONMap = json;
	},
	kinds: { AbstractSection, NamedSection, TypedSection, TableSection, GridSection }
});

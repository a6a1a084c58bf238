'use strict';
'require baseclass';
'require ui';
'require dom';
'require host.element as element';

/* The values of a form's sections: what is read from the configuration, shown in a field, checked and written back. */

function isEqual(a, b) {
	if (b instanceof RegExp)
		return a != null && b.test(a);
	if (a == null || b == null)
		return a == b;
	return typeof a == typeof b && (typeof a == 'object' ? JSON.stringify(a) == JSON.stringify(b) : a == b);
}

const AbstractValue = element.extend({
	__init__(map, section, option, ...texts) {
		this.super('__init__', texts);
		Object.assign(this, { map, section, option, config: map.config, deps: [], rmempty: true, default: null, optional: false, retain: false });
	},

	depends(name, value) {
		this.deps.push(typeof name == 'string' ? { [name]: value } : name);
	},

	own() {
		return this.uciconfig ?? this.section.uciconfig ?? this.map.config;
	},

	cbid(section) {
		return `cbid.${this.own()}.${section}.${this.option}`;
	},

	place(section) {
		return [ this.own(), this.ucisection ?? section, this.ucioption ?? this.option ];
	},

	load(section) { return this.map.data.get(...this.place(section)); },
	write(section, value) { return this.map.data.set(...this.place(section), value); },

	remove(section) {
		const same = other => other !== this && other.place && other.place(section).join('.') == this.place(section).join('.');
		if (!this.section.children.some(other => same(other) && other.isActive(section)))
			this.map.data.unset(...this.place(section));
	},

	cfgvalue(section, ...given) {
		this.data ??= {};
		if (given.length)
			this.data[section] = given[0];
		return this.data[section];
	},

	field(section) { return this.map.findElement('data-field', this.cbid(section)); },

	getUIElement(section) {
		const node = this.map.findElement('id', this.cbid(section));
		return node ? dom.findClassInstance(node) : null;
	},

	formvalue(section) { return this.getUIElement(section)?.getValue() ?? null; },

	textvalue(section) {
		const value = this.cfgvalue(section) ?? this.default;
		return value == null ? null : '%h'.format(Array.isArray(value) ? value.join(' ') : value);
	},

	validate: () => true,

	getValidator(section) {
		return [].concat(this.validate).map(fn => value => fn.call(this, section, value));
	},

	isValid(section) { return this.getUIElement(section)?.isValid?.() ?? true; },
	getValidationError(section) { return this.getUIElement(section)?.getValidationError() ?? ''; },
	triggerValidation(section) { return this.getUIElement(section)?.triggerValidation?.() ?? true; },

	isActive(section) {
		const node = this.field(section);
		return node != null && !node.classList.contains('hidden');
	},

	setActive(section, active) {
		this.field(section)?.classList.toggle('hidden', !active);
	},

	checkDepends(section) {
		return this.map.isDependencySatisfied(this.deps, this.own(), section);
	},

	parse(section) {
		const title = this.stripTags(this.title).trim() || this.option;

		if (!this.isActive(section))
			return Promise.resolve(this.retain ? null : this.remove(section));
		if (!this.isValid(section))
			return Promise.reject(new TypeError(`${_('Option "%s" contains an invalid input value.').format(title)} ${this.getValidationError(section)}`));

		const value = this.formvalue(section);
		if (value == null || value == '')
			return this.rmempty || this.optional ? Promise.resolve(this.remove(section))
				: Promise.reject(new TypeError(_('Option "%s" must not be empty.').format(title)));
		return Promise.resolve(this.forcewrite || !isEqual(this.cfgvalue(section), value) ? this.write(section, value) : null);
	}
});

const Value = AbstractValue.extend({
	__name__: 'CBI.Value',

	value(key, text) {
		(this.keylist ??= []).push(String(key));
		(this.vallist ??= []).push(dom.elem(text) ? text : String(text ?? key));
	},

	choices() {
		return this.keylist?.length ? Object.fromEntries(this.keylist.map((key, at) => [ key, this.vallist[at] ])) : null;
	},

	render(index, section, inTable) {
		return Promise.resolve(this.cfgvalue(section)).then(value => this.renderWidget(section, index, value))
			.then(node => this.renderFrame(section, inTable, index, node));
	},

	renderFrame(section, inTable, index, node) {
		const title = this.stripTags(this.title).trim();
		const field = { 'id': `cbi-${this.own()}-${section}-${this.option}`, 'data-index': index, 'data-field': this.cbid(section) };
		const named = { 'data-name': this.option, 'data-widget': this.__name__ };
		const hidden = this.deps.length ? ' hidden' : '';
		let frame;

		if (inTable)
			frame = E('td', { 'class': 'td cbi-value-field', 'data-title': title || null, ...named }, [ E('div', { ...field, 'class': hidden.trim() || null }, [ node ]) ]);
		else {
			const labelled = typeof this.title == 'string' && this.title !== '';
			const inner = [ node ];
			if (this.description)
				inner.push(E('div', { 'class': 'cbi-value-description' }, this.description));
			frame = E('div', { ...field, ...named, 'class': `cbi-value${hidden}` }, labelled ? [
				E('label', { 'class': 'cbi-value-title', 'for': `widget.${this.cbid(section)}`, 'click': ev => {
					const target = ev.currentTarget.nextElementSibling.querySelector(`[data-widget-id="${ev.currentTarget.getAttribute('for')}"]`);
					target?.click();
					target?.focus();
				} }, this.title),
				E('div', { 'class': 'cbi-value-field' }, inner)
			] : inner);

			/* where the label can't reach the field by its id */
			for (const input of node.querySelectorAll?.('input:not([type=hidden]), [role=listbox]') ?? [])
				if (!input.id.startsWith('widget.') && !input.hasAttribute('aria-label'))
					input.setAttribute('aria-label', title);
		}

		let before;
		frame.addEventListener('widget-change', () => this.map.checkDepends());
		frame.addEventListener('widget-change', ev => {
			const value = this.formvalue(section);
			if (typeof this.onchange == 'function' && !isEqual(value, before))
				this.onchange(ev, section, before = value);
		});
		dom.bindClassInstance(frame, this);
		return frame;
	},

	options(section) {
		return { id: this.cbid(section), sort: this.keylist, optional: this.optional || this.rmempty, datatype: this.datatype, placeholder: this.placeholder,
			validate: this.getValidator(section), disabled: this.readonly ?? this.map.readonly };
	},

	renderWidget(section, index, given) {
		const value = given ?? this.default;
		const text = Array.isArray(value) ? value.join(' ') : value;
		return (this.choices() ? new ui.Combobox(text, this.choices(), this.options(section))
			: new ui.Textfield(text, { ...this.options(section), password: this.password })).render();
	}
});

const DynamicList = Value.extend({
	__name__: 'CBI.DynamicList',

	renderWidget(section, index, value) {
		return new ui.DynamicList(L.toArray(value ?? this.default), this.choices(), { ...this.options(section), allowduplicates: this.allowduplicates }).render();
	}
});

const MultiValue = Value.extend({
	__name__: 'CBI.MultiValue',

	renderWidget(section, index, value) {
		return new ui.Dropdown(L.toArray(value ?? this.default), this.choices(), { ...this.options(section), multiple: true, create: this.create }).render();
	}
});

const ListValue = Value.extend({
	__name__: 'CBI.ListValue',

	renderWidget(section, index, value) {
		return new ui.Select(value ?? this.default, this.choices(), { ...this.options(section), optional: this.optional, datatype: null, size: this.size }).render();
	}
});

const RichListValue = ListValue.extend({
	__name__: 'CBI.RichListValue',

	value(key, title, description) {
		Value.prototype.value.call(this, key, description ? E('span', {}, [ E('strong', {}, [ title ]), ' ', description ]) : title);
	},

	renderWidget(section, index, value) {
		return new ui.Dropdown(value ?? this.default, this.choices(), { ...this.options(section), optional: this.optional, multiple: this.multiple }).render();
	}
});

const Flag = Value.extend({
	__name__: 'CBI.FlagValue',

	__init__(...args) {
		this.super('__init__', args);
		Object.assign(this, { enabled: '1', disabled: '0', default: '0' });
	},

	renderWidget(section, index, value) {
		return new ui.Checkbox(value ?? this.default, { ...this.options(section), value_enabled: this.enabled, value_disabled: this.disabled, datatype: null }).render();
	},

	formvalue(section) { return this.getUIElement(section)?.isChecked() ? this.enabled : this.disabled; },
	textvalue(section) { return (this.cfgvalue(section) ?? this.default) == this.enabled ? _('Yes') : _('No'); },

	parse(section) {
		if (!this.isActive(section))
			return Promise.resolve(this.retain ? null : this.remove(section));
		const value = this.formvalue(section);
		return Promise.resolve(value == this.default && (this.optional || this.rmempty) ? this.remove(section) : this.write(section, value));
	}
});

const TextValue = Value.extend({
	__name__: 'CBI.TextValue',

	renderWidget(section, index, value) {
		const { cols, rows, wrap, monospace } = this;
		return new ui.Textarea(value ?? this.default, { ...this.options(section), datatype: null, cols, rows, wrap, monospace }).render();
	}
});

const DummyValue = Value.extend({
	__name__: 'CBI.DummyValue',

	renderWidget(section, index, given) {
		const value = given ?? this.default;
		const output = E('output', { 'for': this.cbid(section) });
		dom.append(output, this.rawhtml ? value : [ value ]);
		return E([], [ output, new ui.Hiddenfield(value, { id: this.cbid(section) }).render() ]);
	},

	remove() {},
	write() {}
});

const Button = Value.extend({
	__name__: 'CBI.ButtonValue',

	renderWidget(section) {
		return E([], [
			E('output', { 'for': this.cbid(section) }, [ E('button', {
				'class': `cbi-button cbi-button-${this.inputstyle ?? 'button'}`, 'disabled': (this.readonly ?? this.map.readonly) || null,
				'click': ui.createHandlerFn(this, function(ev) { return this.onclick ? this.onclick(ev, section) : this.map.save(); })
			}, [ this.titleFn('inputtitle', section) ?? this.titleFn('title', section) ]) ]),
			new ui.Hiddenfield(null, { id: this.cbid(section) }).render()
		]);
	}
});

const HiddenValue = Value.extend({
	__name__: 'CBI.HiddenValue',

	renderWidget(section, index, value) {
		return new ui.Hiddenfield(value ?? this.default, { id: this.cbid(section) }).render();
	}
});

return baseclass.extend({
	isEqual,
	kinds: { AbstractValue, Value, DynamicList, MultiValue, ListValue, RichListValue, Flag, TextValue, DummyValue, Button, HiddenValue }
});

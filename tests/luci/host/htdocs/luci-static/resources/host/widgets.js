'use strict';
'require baseclass';
'require validation';
'require dom';

/* The fields of forms, with the ids, classes and events that LuCI gives them. */

function addValidator(field, type, optional, extra, ...events) {
	if (type == null)
		return;

	const validator = validation.create(field, type, optional, extra);
	const run = () => validator.validate();
	for (const name of events.length ? events : [ 'blur', 'keyup' ])
		field.addEventListener(name, run);
	run();
	return run;
}

/* A handler that keeps its button disabled until the promise is settled. */
function createHandlerFn(context, fn, ...args) {
	const does = typeof fn == 'string' ? context[fn] : fn;

	if (typeof does != 'function')
		return null;

	return function(ev, ...rest) {
		const target = ev.currentTarget;
		target.classList.add('spinning');
		target.disabled = true;
		target.blur?.();
		Promise.resolve(does.call(context, ...args, ev, ...rest)).finally(() => {
			target.classList.remove('spinning');
			target.disabled = false;
		});
	};
}

const list = value => Array.isArray(value) ? value : value != null && value !== '' ? [ value ] : [];
const order = (choices, sort) => Array.isArray(sort) ? sort : Object.keys(choices ?? {}).sort(L.naturalCompare);
const label = (choices, key) => {
	const what = choices?.[key];
	return dom.elem(what) ? what.cloneNode(true) : what ?? key;
};

const AbstractElement = baseclass.extend({
	__init__(value, options) {
		Object.assign(this, { value, options: { optional: true, ...options } });
	},

	input() { return this.node.querySelector('input, select, textarea'); },
	getValue() { return this.input().value; },
	setValue(value) { this.input().value = value ?? ''; },
	isChanged() { return this.node.getAttribute('data-changed') == 'true'; },
	isValid() { return this.state !== false; },
	getValidationError() { return this.problem ?? ''; },

	triggerValidation() {
		const before = this.isValid();
		this.check?.();
		return before != this.isValid();
	},

	/* The frame of the field, with events as LuCI's forms listen to. */
	bind(node, target, updates, changes) {
		this.node = node;
		dom.bindClassInstance(node, this);

		if (this.options.datatype || this.options.validate) {
			this.check = addValidator(target, this.options.datatype ?? 'string', this.options.optional, this.options.validate, ...updates);
			node.addEventListener('validation-success', () => Object.assign(this, { state: true, problem: '' }));
			node.addEventListener('validation-failure', ev => Object.assign(this, { state: false, problem: ev.detail.message }));
			this.check();
		}
		for (const name of updates)
			target.addEventListener(name, () => node.dispatchEvent(new CustomEvent('widget-update', { bubbles: true })));
		for (const name of changes)
			target.addEventListener(name, () => {
				node.setAttribute('data-changed', true);
				node.dispatchEvent(new CustomEvent('widget-change', { bubbles: true }));
			});
		return node;
	},

	attributes() {
		const { id, name, placeholder, disabled, readonly } = this.options;
		return { 'id': id ? `widget.${id}` : null, name, placeholder: typeof placeholder == 'string' ? placeholder : null,
			'disabled': disabled ? '' : null, 'readonly': readonly ? '' : null };
	}
});

const Textfield = AbstractElement.extend({
	render() {
		const input = E('input', { ...this.attributes(), 'type': this.options.password ? 'password' : 'text', 'value': this.value,
			'class': this.options.password ? 'cbi-input-password' : 'cbi-input-text' });
		const node = E('div', { 'id': this.options.id }, [ this.options.password ? E('div', { 'class': 'control-group' }, [ input,
			E('button', { 'class': 'cbi-button cbi-button-neutral', 'aria-label': _('Reveal/hide password'), 'click': ev => {
				input.type = input.type == 'password' ? 'text' : 'password';
				ev.preventDefault();
			} }, [ '∗' ]) ]) : input ]);
		return this.bind(node, input, [ 'keyup', 'blur' ], [ 'change' ]);
	}
});

const Textarea = AbstractElement.extend({
	render() {
		const { cols, rows, wrap, monospace } = this.options;
		const input = E('textarea', { ...this.attributes(), 'class': 'cbi-input-textarea', cols, rows, 'wrap': wrap ? 'soft' : 'off',
			'style': `${cols ? '' : 'width:100%;'}${monospace ? 'font-family:monospace' : ''}` }, [ this.value ?? '' ]);
		return this.bind(E('div', { 'id': this.options.id }, [ input ]), input, [ 'keyup', 'blur' ], [ 'change' ]);
	}
});

const Checkbox = AbstractElement.extend({
	render() {
		const { id, name, disabled, value_enabled } = { value_enabled: '1', ...this.options };
		const own = 'cb%08x'.format(Math.random() * 0xffffffff);
		const input = E('input', { 'id': own, name, 'type': 'checkbox', 'value': value_enabled, 'checked': this.value == value_enabled ? '' : null,
			'disabled': disabled ? '' : null, 'data-widget-id': id ? `widget.${id}` : null });
		return this.bind(E('div', { 'id': id, 'class': 'cbi-checkbox' }, [ input, E('label', { 'for': own }) ]), input, [ 'click', 'blur' ], [ 'change' ]);
	},

	isChecked() { return this.input().checked; },
	getValue() { return this.isChecked() ? this.options.value_enabled ?? '1' : this.options.value_disabled ?? '0'; },
	setValue(value) { this.input().checked = value == (this.options.value_enabled ?? '1'); }
});

const Select = AbstractElement.extend({
	__init__(value, choices, options) {
		Object.assign(this, { value: list(value), choices: choices ?? {}, options: { optional: '' in (choices ?? {}), ...options } });
	},

	render() {
		const { optional, multiple, placeholder, sort, size } = this.options;
		const option = (key, text) => E('option', { 'value': key, 'selected': this.value.includes(key) ? '' : null }, [ text ]);
		const input = E('select', { ...this.attributes(), 'class': 'cbi-input-select', size, 'multiple': multiple ? '' : null }, [
			...optional ? [ option('', label(this.choices, '') || placeholder || _('-- Please choose --')) ] : [],
			...order(this.choices, sort).filter(Boolean).map(key => option(key, label(this.choices, key)))
		]);
		return this.bind(E('div', { 'id': this.options.id }, [ input ]), input, [ 'change', 'click', 'blur' ], [ 'change' ]);
	},

	getValue() {
		const chosen = [ ...this.input().selectedOptions ].map(option => option.value);
		return this.options.multiple ? chosen : chosen[0] ?? '';
	}
});

/* One or several of a list, shown when it is opened; with `create`, also one's own. */
const Dropdown = AbstractElement.extend({
	__init__(value, choices, options) {
		Object.assign(this, { values: list(value).map(String), choices: { ...choices }, options: { multiple: Array.isArray(value), optional: true, ...options } });
		for (const own of this.values)
			this.choices[own] ??= own;
	},

	render() {
		const { id, multiple, optional, disabled, create, select_placeholder, placeholder, custom_placeholder, datatype, validate } = this.options;
		const none = !multiple && optional ? [ E('li', { 'data-value': '', 'role': 'option' }, [ select_placeholder ?? placeholder ?? _('-- Please choose --') ]) ] : [];
		const items = [ ...none, ...order(this.choices, this.options.sort).concat(this.values).filter((key, at, all) => key !== '' && all.indexOf(key) == at).map(key => this.item(key)) ];
		const list = E('ul', { 'role': 'listbox', 'aria-label': _('Choices'), 'aria-multiselectable': multiple ? true : null }, items);
		const node = E('div', { id, 'class': 'cbi-dropdown', 'tabindex': 0, 'multiple': multiple ? '' : null, 'optional': optional ? '' : null,
			'disabled': disabled ? '' : null }, [ list, E('span', { 'class': 'open', 'aria-hidden': true }, [ '▾' ]) ]);

		if (create) {
			this.own = E('input', { 'type': 'text', 'class': 'create-item-input', 'placeholder': custom_placeholder ?? _('-- custom --'), 'aria-label': custom_placeholder ?? _('-- custom --') });
			if (datatype || validate)
				addValidator(this.own, datatype ?? 'string', true, validate, 'blur', 'keyup');
			this.own.addEventListener('keydown', ev => ev.key == 'Enter' && (ev.preventDefault(), this.take()));
			node.appendChild(E('div', { 'class': 'create-item' }, [ this.own ]));
		}

		node.addEventListener('click', ev => this.click(ev));
		node.addEventListener('keydown', ev => this.key(ev));
		document.addEventListener('click', ev => !node.contains(ev.target) && this.close());
		this.bind(node, node, [ 'cbi-dropdown-close' ], [ 'cbi-dropdown-change' ]);
		this.show();
		return node;
	},

	item(key) {
		return E('li', { 'data-value': key, 'role': 'option', 'tabindex': -1 }, [ label(this.choices, key) ]);
	},

	items() { return [ ...this.node.querySelectorAll('li') ]; },

	show() {
		const shown = this.values.length ? this.values : [ '' ];
		for (const item of this.items()) {
			const chosen = shown.includes(item.getAttribute('data-value'));
			item.toggleAttribute('selected', chosen);
			item.toggleAttribute('display', chosen);
			item.setAttribute('aria-selected', chosen);
		}
		this.node.toggleAttribute('empty', !this.values.length);
	},

	choose(key) {
		const { multiple } = this.options;
		if (!multiple)
			this.values = key === '' ? [] : [ key ];
		else
			this.values = this.values.includes(key) ? this.values.filter(one => one != key) : [ ...this.values, key ];
		this.show();
		if (!multiple)
			this.close();
		this.node.value = this.values.join(' ');
		this.node.dispatchEvent(new CustomEvent('cbi-dropdown-change', { bubbles: true, detail: { instance: this, element: this.node, value: { value: key } } }));
	},

	/* What was typed becomes an item. */
	take() {
		const key = this.own.value.trim();
		if (!key || this.own.classList.contains('cbi-input-invalid'))
			return;
		this.choices[key] ??= key;
		if (!this.items().some(item => item.getAttribute('data-value') == key))
			this.node.querySelector('ul').appendChild(this.item(key));
		this.own.value = '';
		this.choose(key);
	},

	open() {
		this.node.setAttribute('open', '');
		this.node.setAttribute('data-open', '');
	},

	close() {
		if (!this.node.hasAttribute('open'))
			return;
		if (this.own)
			this.take();
		this.node.removeAttribute('open');
		this.node.dispatchEvent(new CustomEvent('cbi-dropdown-close', { bubbles: true }));
	},

	click(ev) {
		if (this.options.disabled || ev.target === this.own)
			return;
		if (!this.node.hasAttribute('open'))
			return this.open();
		const item = ev.target.closest('li');
		if (item)
			this.choose(item.getAttribute('data-value'));
		else
			this.close();
	},

	key(ev) {
		if (ev.target === this.own)
			return;
		if (ev.key == 'Escape')
			this.close();
		else if ([ 'Enter', ' ' ].includes(ev.key) && ev.target === this.node)
			this.open();
		else if ([ 'Enter', ' ' ].includes(ev.key) && ev.target.matches('li'))
			this.choose(ev.target.getAttribute('data-value'));
		else if ([ 'ArrowDown', 'ArrowUp' ].includes(ev.key)) {
			const items = this.items(), at = items.indexOf(document.activeElement);
			this.open();
			items[(at + (ev.key == 'ArrowDown' ? 1 : items.length - 1)) % items.length]?.focus();
		}
		else
			return;
		ev.preventDefault();
	},

	addChoices(keys, labels) {
		for (const key of L.toArray(keys))
			if (!(key in this.choices)) {
				this.choices[key] = labels?.[key] ?? key;
				this.node.querySelector('ul').appendChild(this.item(key));
			}
		this.show();
	},

	getValue() { return this.options.multiple ? [ ...this.values ] : this.values[0] ?? ''; },

	setValue(value) {
		this.values = list(value).map(String);
		this.addChoices(this.values);
	}
});

const Combobox = Dropdown.extend({
	__init__(value, choices, options) {
		this.super('__init__', [ value ?? '', choices, { ...options, multiple: false, create: true, optional: true } ]);
	}
});

/* A button with a choice of what it does. */
const ComboButton = Dropdown.extend({
	__init__(value, choices, options) {
		this.super('__init__', [ value, choices, { ...options, multiple: false, create: false, optional: false } ]);
	},

	show() {
		this.super('show', []);
		this.node.setAttribute('class', `cbi-dropdown ${this.options.classes?.[this.getValue()] ?? ''}`);
	},

	click(ev) {
		if (this.node.hasAttribute('open') || ev.target.matches('.open'))
			return this.super('click', [ ev ]);
		return this.options.click?.call(this.node, ev, this.getValue());
	}
});

const DynamicList = AbstractElement.extend({
	__init__(values, choices, options) {
		Object.assign(this, { value: list(values), choices, options: { ...options, optional: true } });
	},

	render() {
		const { id, datatype, validate, disabled } = this.options;
		const node = E('div', { id, 'class': 'cbi-dynlist', 'disabled': disabled ? '' : null });
		const adder = E('div', { 'class': 'add-item control-group' });

		if (this.choices) {
			const box = new Combobox(null, this.choices, { ...this.options, id: null });
			adder.appendChild(box.render());
			adder.addEventListener('cbi-dropdown-change', ev => {
				ev.stopPropagation();
				const { value } = ev.detail.value;
				if (value !== '')
					this.add(value);
				box.setValue([]);
			});
		}
		else {
			const input = E('input', { ...this.attributes(), 'type': 'text', 'class': 'cbi-input-text' });
			const take = () => {
				if (input.value.length && !input.classList.contains('cbi-input-invalid')) {
					this.add(input.value);
					input.value = '';
				}
			};
			dom.append(adder, [ input, E('div', { 'class': 'btn cbi-button cbi-button-add', 'click': take }, [ '+' ]) ]);
			input.addEventListener('keydown', ev => ev.key == 'Enter' && (ev.preventDefault(), take()));
			if (datatype || validate)
				addValidator(input, datatype ?? 'string', true, validate, 'blur', 'keyup');
		}

		node.appendChild(adder);
		this.node = node;
		this.value.forEach(value => this.add(value));
		return this.bind(node, node, [ 'cbi-dynlist-change' ], [ 'cbi-dynlist-change' ]);
	},

	add(value) {
		if (this.stored().includes(value) && !this.options.allowduplicates)
			return;
		const item = E('div', { 'class': 'item', 'tabindex': 0, 'click': ev => {
			/* its mark for removal is drawn behind it by the theme */
			if (item.getBoundingClientRect().right - ev.clientX <= (parseFloat(window.getComputedStyle(item, '::after').width) || 0))
				this.drop(item);
		}, 'keydown': ev => [ 'Backspace', 'Delete' ].includes(ev.key) && this.drop(item) }, [
			E('span', {}, [ label(this.choices, value) ]), E('input', { 'type': 'hidden', 'value': value })
		]);
		this.node.insertBefore(item, this.node.lastElementChild);
		this.tell(value);
	},

	drop(item) {
		item.remove();
		this.tell(null);
	},

	tell(value) {
		this.node.dispatchEvent(new CustomEvent('cbi-dynlist-change', { bubbles: true, detail: { instance: this, element: this.node, value } }));
	},

	stored() { return [ ...this.node.querySelectorAll('.item > input') ].map(input => input.value); },

	getValue() {
		const input = this.node.querySelector('.add-item > input');
		const typed = input?.value.trim() && !input.classList.contains('cbi-input-invalid') ? [ input.value ] : [];
		return [ ...this.stored(), ...typed.filter(value => !this.stored().includes(value)) ];
	},

	setValue(values) {
		this.node.querySelectorAll('.item').forEach(item => item.remove());
		list(values).forEach(value => this.add(value));
	}
});

const Hiddenfield = AbstractElement.extend({
	render() {
		const node = E('input', { 'id': this.options.id, 'type': 'hidden', 'value': this.value });
		return this.bind(node, node, [], []);
	},

	input() { return this.node; }
});

return baseclass.extend({
	addValidator, createHandlerFn,
	fields: { AbstractElement, Textfield, Textarea, Checkbox, Select, Dropdown, Combobox, ComboButton, DynamicList, Hiddenfield }
});

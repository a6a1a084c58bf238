'use strict';
'require baseclass';
'require dom';

/* What a form is made of: something with a title, a description and children. */

const Element = baseclass.extend({
	__init__(title, description) {
		Object.assign(this, { title: title ?? '', description: description ?? '', children: [] });
	},

	append(child) {
		this.children.push(child);
	},

	loadChildren(...args) {
		return Promise.all(this.children.filter(child => !child.disable).map(child => child.load(...args)));
	},

	renderChildren(tab, ...args) {
		return Promise.all(this.children.filter(child => !child.disable && (tab === null || child.tab === tab)).map((child, index) => child.render(index, ...args)));
	},

	stripTags(text) {
		const node = dom.elem(text) ? text : /[<>&]/.test(text) ? dom.parse(`<div>${text}</div>`) : null;
		return node ? node.textContent : text ?? '';
	},

	titleFn(name, ...args) {
		const made = typeof this[name] == 'function' ? this[name](...args) : typeof this[name] == 'string' && args.length ? this[name].format(...args) : this[name];
		return made == null || made === '' ? null : this.stripTags(String(made)).trim();
	}
});

return baseclass.extend({
	AbstractElement: Element,
	extend: members => Element.extend(members)
});

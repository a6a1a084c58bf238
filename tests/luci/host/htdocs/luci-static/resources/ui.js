'use strict';
'require baseclass';
'require validation';
'require request';
'require session';
'require dom';
'require uci';
'require host.widgets as widgets';

/* LuCI's ui: the modal, notifications, indicators, tabs, applying of changes. The fields of forms are in widgets.js. */

const overlay = document.body.appendChild(E('div', { 'id': 'modal_overlay', 'tabindex': -1, 'keydown': ev => {
	if (ev.key == 'Escape')
		overlay.querySelector('.right > button, .right > .btn, .button-row > .btn')?.click();
} }, [ E('div', { 'class': 'modal', 'role': 'dialog', 'aria-modal': true }) ]));
const tip = document.body.appendChild(E('div', { 'class': 'cbi-tooltip' }));
let wasPolling = false;

for (const name of [ 'mouseover', 'focus' ])
	document.addEventListener(name, ev => {
		const target = ev.target.closest?.('[data-tooltip]');
		if (!target)
			return;
		const box = target.getBoundingClientRect();
		tip.textContent = target.getAttribute('data-tooltip');
		Object.assign(tip.style, { top: `${box.bottom + window.scrollY}px`, left: `${box.left + window.scrollX}px`, opacity: 1 });
	}, true);
for (const name of [ 'mouseout', 'blur' ])
	document.addEventListener(name, () => tip.removeAttribute('style'), true);

function showModal(title, children, ...classes) {
	const dialog = overlay.firstElementChild;
	dialog.setAttribute('class', [ 'modal', ...classes ].join(' '));
	dom.content(dialog, E('h4', {}, title));
	dom.append(dialog, children);
	document.body.classList.add('modal-overlay-active');
	overlay.scrollTop = 0;
	overlay.focus();
	return dialog;
}

function hideModal() {
	document.body.classList.remove('modal-overlay-active');
	overlay.blur();
}

const tabs = {
	isEmptyPane: pane => dom.isEmpty(pane, node => node.classList.contains('cbi-tab-descr')),

	init() {
		const groups = new Set([ ...document.querySelectorAll('[data-tab-title]') ].map(pane => pane.parentNode));
		for (const group of groups)
			tabs.initTabGroup(group.childNodes);
	},

	initTabGroup(nodes) {
		const panes = [ ...nodes ].filter(node => dom.matches(node, '[data-tab-title]'));
		const group = panes[0]?.parentNode;

		if (!group || group.hasAttribute('data-initialized'))
			return;

		const menu = E('ul', { 'class': 'cbi-tabmenu' }, panes.map(pane => E('li', { 'data-tab': pane.getAttribute('data-tab') }, [
			E('a', { 'href': '#', 'click': ev => {
				ev.preventDefault();
				tabs.select(menu, panes, pane.getAttribute('data-tab'));
			} }, [ pane.getAttribute('data-tab-title') ])
		])));
		const remembered = session.getLocalData('tab')?.[tabs.place(group)];
		const first = panes.find(pane => pane.getAttribute('data-tab-active') == 'true' || pane.getAttribute('data-tab') == remembered) ??
			panes.find(pane => !tabs.isEmptyPane(pane)) ?? panes[0];

		group.parentNode.insertBefore(menu, group);
		group.setAttribute('data-initialized', true);
		tabs.select(menu, panes, first.getAttribute('data-tab'));
		tabs.updateTabs(null, group.parentNode);
	},

	place: group => `${document.body.getAttribute('data-page')}/${group.closest('[data-section-id]')?.getAttribute('data-section-id') ?? ''}`,

	select(menu, panes, name) {
		for (const item of menu.children)
			item.className = item.getAttribute('data-tab') == name ? 'cbi-tab' : 'cbi-tab-disabled';
		for (const pane of panes) {
			const active = pane.getAttribute('data-tab') == name;
			pane.setAttribute('data-tab-active', active);
			if (active)
				pane.dispatchEvent(new CustomEvent('cbi-tab-active', { detail: { tab: name } }));
		}
		session.setLocalData('tab', { ...session.getLocalData('tab'), [tabs.place(panes[0].parentNode)]: name });
	},

	updateTabs(ev, root) {
		(root ?? document).querySelectorAll('[data-tab-title]').forEach(pane => {
			const item = [ ...pane.parentNode.previousElementSibling?.children ?? [] ].find(one => one.getAttribute('data-tab') == pane.getAttribute('data-tab'));
			const errors = pane.querySelectorAll('.cbi-input-invalid').length;
			if (!item)
				return;
			item.style.display = tabs.isEmptyPane(pane) ? 'none' : '';
			if (errors) {
				item.setAttribute('data-errors', errors);
				item.setAttribute('data-tooltip', _('%d invalid field(s)').format(errors));
			}
			else {
				item.removeAttribute('data-errors');
				item.removeAttribute('data-tooltip');
			}
		});
	}
};

/* Staged changes: shown, applied with confirmation, reverted. */
const changes = {
	changes: {},

	init: () => uci.changes().then(found => {
		changes.changes = found;
		changes.setIndicator(Object.values(found).reduce((sum, list) => sum + list.length, 0));
	}),

	setIndicator(count) {
		if (count > 0)
			showIndicator('uci-changes', '%s: %d'.format(_('Unsaved Changes'), count), changes.displayChanges);
		else
			hideIndicator('uci-changes');
	},

	displayChanges() {
		showModal(`${_('Configuration')} / ${_('Changes')}`, [
			E('div', { 'class': 'uci-change-list' }, Object.entries(changes.changes).flatMap(([ config, list ]) => [
				E('h5', {}, [ `# /etc/config/${config}` ]), ...list.map(([ what, section, ...rest ]) => E('var', {}, [ `uci ${what} ${config}.${section}${rest.length ? ` ${rest.join(' ')}` : ''}` ]))
			])),
			E('div', { 'class': 'button-row' }, [
				E('button', { 'class': 'btn cbi-button', 'click': hideModal }, [ _('Close') ]), ' ',
				E('button', { 'class': 'btn cbi-button cbi-button-positive important', 'click': () => changes.apply(true) }, [ _('Save & Apply') ]), ' ',
				E('button', { 'class': 'btn cbi-button cbi-button-reset', 'click': changes.revert }, [ _('Revert') ])
			])
		], 'uci-dialog');
	},

	displayStatus(type, content) {
		if (!type) {
			hideModal();
			if (wasPolling)
				request.poll.start();
			return;
		}
		const dialog = showModal('', '', 'alert-message', ...type.split(/\s+/));
		if (content)
			dom.content(dialog, content);
		wasPolling ||= request.poll.active();
		request.poll.stop();
	},

	post: (action, query) => request.request(L.url(`admin/uci/${action}`), { method: 'post', timeout: L.env.apply_timeout * 1000, query }),

	apply(checked) {
		const query = { sid: L.env.sessionid, token: L.env.token };

		changes.displayStatus('notice spinning', E('p', {}, [ _('Starting configuration apply…') ]));
		return changes.post(checked ? 'apply_rollback' : 'apply_unchecked', query).then(response => {
			if (response.status == (checked ? 200 : 204))
				return changes.confirm(checked, Date.now() + L.env.apply_rollback * 1000, checked ? response.json().token : null);
			changes.displayStatus('notice', E('p', {}, [ _('There are no changes to apply') ]));
			window.setTimeout(() => changes.displayStatus(false), L.env.apply_display * 1000);
		});
	},

	confirm(checked, deadline, token) {
		const attempt = response => {
			if (Date.now() >= deadline) {
				changes.displayStatus('warning', E('h4', {}, [ checked ? _('Configuration changes have been rolled back!') : _('Device unreachable!') ]));
				return;
			}
			if (response.status == 200 || response.status == 204) {
				document.dispatchEvent(new CustomEvent('uci-applied'));
				changes.setIndicator(0);
				changes.displayStatus('notice', E('p', {}, [ _('Configuration changes applied.') ]));
				window.setTimeout(() => { window.location = window.location.href.split('#')[0]; }, L.env.apply_display * 1000);
				return;
			}
			window.setTimeout(() => changes.post('confirm', { token }).then(attempt, () => attempt({})), 1000);
		};
		changes.displayStatus('notice spinning', E('p', {}, [ _('Applying configuration changes… %ds').format(L.env.apply_rollback) ]));
		window.setTimeout(() => attempt({}), L.env.apply_holdoff * 1000);
	},

	revert() {
		return changes.post('revert', { sid: L.env.sessionid, token: L.env.token }).then(() => {
			document.dispatchEvent(new CustomEvent('uci-reverted'));
			changes.setIndicator(0);
			changes.displayStatus('notice', E('p', {}, [ _('Changes have been reverted.') ]));
			window.setTimeout(() => { window.location = window.location.href.split('#')[0]; }, L.env.apply_display * 1000);
		});
	}
};

document.addEventListener('luci-loaded', tabs.init);
document.addEventListener('luci-loaded', changes.init);
document.addEventListener('uci-loaded', changes.init);
document.addEventListener('dependency-update', () => tabs.updateTabs());

function addNotification(title, children, ...classes) {
	const place = document.querySelector('#maincontent');
	const message = E('div', { 'class': [ 'alert-message', ...classes ].join(' '), 'style': 'display:flex' }, [
		E('div', { 'style': 'flex:10' }),
		E('div', { 'style': 'flex:1 1 auto; display:flex' }, [
			E('button', { 'class': 'btn', 'style': 'margin-left:auto; margin-top:auto', 'click': () => message.remove() }, [ _('Dismiss') ])
		])
	]);
	if (title != null)
		dom.append(message.firstElementChild, E('h4', {}, title));
	dom.append(message.firstElementChild, children);
	place.insertBefore(message, place.firstElementChild);
	return message;
}

const indicator = id => document.querySelector(`#indicators [data-indicator="${id}"]`);

function showIndicator(id, label, handler, style) {
	const place = document.querySelector('#indicators');
	const node = indicator(id) ?? place.appendChild(E('span', { 'data-indicator': id, 'data-clickable': handler ? true : null, 'click': handler ?? null }, [ '' ]));
	node.textContent = label;
	node.setAttribute('data-style', style == 'inactive' ? 'inactive' : 'active');
	return true;
}

function hideIndicator(id) {
	indicator(id)?.remove();
}

const menu = {
	load: () => menu.loaded ??= request.get(L.url('admin/menu')).then(response => response.json()),

	getChildren: node => Object.entries(node?.children ?? {}).filter(([ , child ]) => child.satisfied && child.title)
		.map(([ name, child ]) => ({ ...child, name })).sort((a, b) => (a.order ?? 1000) - (b.order ?? 1000))
};

return baseclass.extend({
	...widgets.fields,
	showModal, hideModal, addNotification, showIndicator, hideIndicator, tabs, changes, menu,
	addValidator: widgets.addValidator,
	createHandlerFn: widgets.createHandlerFn,

	addTimeLimitedNotification(title, children, timeout, ...classes) {
		const message = addNotification(title, children, ...classes);
		if (timeout > 0)
			window.setTimeout(() => message.remove(), timeout);
		return message;
	},

	itemlist(node, items, separators) {
		const apart = L.toArray(separators)[0] ?? E('br');
		const shown = [];
		for (let at = 0; at < items.length; at += 2)
			if (items[at + 1] != null)
				shown.push(E('span', { 'class': 'nowrap' }, [ items[at] ? E('strong', {}, [ `${items[at]}: ` ]) : '', items[at + 1] ]), dom.elem(apart) ? apart.cloneNode(true) : apart);
		dom.content(node, shown.slice(0, -1));
		return node;
	},

	instantiateView: path => L.require(`view.${path.replace(/\//g, '.')}`).catch(error => {
		dom.content(document.querySelector('#view'), null);
		L.error(error);
	})
});

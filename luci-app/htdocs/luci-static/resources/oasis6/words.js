'use strict';
'require baseclass';

/* Functions, as words may be asked for before the translation is there. */
const STATES = {
	up: () => _('works'),
	degraded: () => _('works badly'),
	failing: () => _('fails'),
	starting: () => _('is starting'),
	down: () => _('is down'),
	serving: () => _('is served'),
	waiting: () => _('waits'),
	disabled: () => _('is switched off')
};

const ROLES = {
	active: () => _('in use'),
	standby: () => _('stands by'),
	out: () => _('not used')
};

const TYPES = {
	native: () => _('Native IPv6'),
	'static': () => _('Set by hand'),
	netifd: () => _('Interface of OpenWrt'),
	wireguard: () => _('WireGuard tunnel'),
	'6in4': () => _('6in4 tunnel'),
	'6to4': () => _('6to4 tunnel'),
	'6rd': () => _('6rd')
};

/* An uplink within a sentence. */
const UPLINKS = {
	native: () => _('native IPv6 (%s)'),
	'static': () => _('the uplink %s'),
	netifd: () => _('the interface %s'),
	wireguard: () => _('WireGuard to %s'),
	'6in4': () => _('the 6in4 tunnel %s'),
	'6to4': () => _('the 6to4 tunnel %s'),
	'6rd': () => _('6rd (%s)')
};

/* A list, whatever came. */
const list = value => Array.isArray(value) ? value : [];

function word(table, key) {
	return Object.hasOwn(table, key) ? table[key]() : String(key ?? '');
}

/* Puts strings into a sentence, each as it is. `format` of LuCI would do as well, but is not there in every test. */
function put(sentence, ...values) {
	let n = 0;

	return String(sentence).replace(/%[sd]/g, () => String(values[n++] ?? ''));
}

/* `a`, `a and b`, `a, b and c`. */
function listed(items) {
	if (items.length < 2)
		return items.join('');

	return put(_('%s and %s'), items.slice(0, -1).join(', '), items[items.length - 1]);
}

function uplink(it) {
	return put(word(UPLINKS, it.type) || '%s', it.name);
}

/* Seconds as one says them; null is for ever. */
function duration(seconds) {
	if (seconds == null)
		return _('for ever');

	const s = Math.max(0, Math.floor(seconds)), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);

	if (d)
		return put(_('%d d %d h'), d, h % 24);
	if (h)
		return put(_('%d h %d min'), h, m % 60);
	if (m)
		return put(_('%d min %d s'), m, s % 60);

	return put(_('%d s'), s);
}

function milliseconds(ms) {
	return ms < 10000 ? put(_('%s s'), (ms / 1000).toFixed(1)) : duration(ms / 1000);
}

/* The time of day so many seconds ago, with the day if that was not today. */
function clock(ago) {
	const then = new Date(Date.now() - ago * 1000), today = new Date();
	const sameDay = then.toDateString() == today.toDateString();
	const language = document.documentElement.lang || undefined;
	const format = sameDay ? { hour: '2-digit', minute: '2-digit' }
		: { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' };

	try {
		return then.toLocaleString(language, format);
	}
	catch (e) {
		return then.toLocaleString(undefined, format);
	}
}

const works = it => it.state == 'up' || it.state == 'degraded';

/* What is wrong with an uplink that should be used, as a part of a sentence. */
function complaint(it) {
	const since = clock(it.since || 0);

	switch (it.state) {
	case 'starting':
		return put(_('%s has been starting since %s'), uplink(it), since);
	case 'failing':
		return put(_('%s has been failing since %s'), uplink(it), since);
	default:
		return put(_('%s is down since %s'), uplink(it), since);
	}
}

/* The one sentence that says whether there is IPv6, and how good that is: `good`, `fair`, `bad` or `off`. */
function headline(look) {
	const { kind, status, uplinks } = look;

	switch (kind) {
	case 'missing':
		return { mood: 'off', text: _('oasis6 is not installed.') };
	case 'stopped':
		return { mood: 'off', text: _('oasis6 does not run.') };
	case 'mute':
		return { mood: 'off', text: _('oasis6 runs, but can’t be asked: the small variant has no pages here.') };
	}

	if (status.enabled === false)
		return { mood: 'off', text: _('oasis6 is switched off: it serves nothing.') };

	const used = uplinks.filter(it => it.role == 'active');
	const working = used.filter(works);
	const best = Math.min(...working.map(it => it.priority), Infinity);
	const broken = uplinks.filter(it => !works(it) && (it.role == 'active' || it.priority < best));
	const complaints = broken.map(complaint).join('; ');
	const waiting = list(status.lans).length && !status.lans.some(lan => lan.state == 'serving');

	if (waiting)
		return { mood: 'bad', text: put(_('No network is served: %s.'), status.lans[0].why || _('waits')) };

	if (working.length) {
		const through = listed(working.map(uplink));
		const poor = working.every(it => it.state == 'degraded');
		const main = put(poor ? _('IPv6 works badly through %s') : _('You have IPv6 through %s'), through);

		return { mood: broken.length || poor ? 'fair' : 'good', text: complaints ? put(_('%s; %s.'), main, complaints) : main + '.' };
	}

	if (!uplinks.length) {
		return status.default_route
			? { mood: 'good', text: _('You have IPv6: the prefixes are given by hand, and there is a way to the Internet.') }
			: { mood: 'bad', text: _('You have no IPv6 Internet: no uplink is set up yet.') };
	}

	return { mood: 'bad', text: complaints ? put(_('You have no IPv6 Internet: %s.'), complaints) : _('You have no IPv6 Internet: no uplink works.') };
}

return baseclass.extend({
	list,
	put,
	listed,
	duration,
	milliseconds,
	clock,
	uplink,
	works,
	headline,

	state: key => word(STATES, key),
	role: key => word(ROLES, key),
	type: key => word(TYPES, key)
});

'use strict';
'require baseclass';
'require uci';

/* The configuration as it is on the page, before it is applied: as text for the daemon, and kept while a login is needed. */

const KEY = 'oasis6.draft';
const SECRET = [ 'private_key', 'preshared_key' ];

const options = section => Object.keys(section).filter(name => name[0] != '.');

function quoted(value) {
	return "'" + String(value).replace(/'/g, "'\\''") + "'";
}

function section(it) {
	const lines = [ it['.anonymous'] ? 'config ' + it['.type'] : 'config %s %s'.format(it['.type'], quoted(it['.name'])) ];

	for (const name of options(it)) {
		if (Array.isArray(it[name]))
			it[name].forEach(value => lines.push('\tlist %s %s'.format(name, quoted(value))));
		else if (it[name] != null)
			lines.push('\toption %s %s'.format(name, quoted(it[name])));
	}

	return lines.join('\n') + '\n';
}

return baseclass.extend({
	text: () => uci.sections('oasis6').map(section).join('\n'),

	/* Which section a problem is of: `lan 'home'` or `host @host[0]` → the section's name on the page. */
	find(place) {
		const m = /^(\w+) (?:'(.*)'|@\w+\[(\d+)\])$/.exec(place ?? '');

		if (!m)
			return null;

		return m[2] ?? uci.sections('oasis6', m[1])[+m[3]]?.['.name'] ?? null;
	},

	/* Keeps what was typed, without secrets. */
	keep() {
		const sections = uci.sections('oasis6').map(it => {
			const kept = { '.type': it['.type'], '.name': it['.name'], '.anonymous': it['.anonymous'] };

			options(it).filter(name => !SECRET.includes(name)).forEach(name => kept[name] = it[name]);

			return kept;
		});

		window.sessionStorage.setItem(KEY, JSON.stringify(sections));
	},

	forget: () => window.sessionStorage.removeItem(KEY),

	/* What was kept; null: nothing. */
	kept() {
		try {
			const sections = JSON.parse(window.sessionStorage.getItem(KEY));

			return Array.isArray(sections) && sections.length ? sections : null;
		}
		catch (e) {
			return null;
		}
	},

	/* Puts what was kept in place of what is on the page. */
	restore(sections) {
		const kept = new Map(sections.map(it => [ it['.name'], it ]));

		uci.sections('oasis6').forEach(it => {
			if (!kept.has(it['.name']))
				uci.remove('oasis6', it['.name']);
		});

		for (const it of sections) {
			const there = uci.get('oasis6', it['.name']);
			const sid = there ? it['.name'] : uci.add('oasis6', it['.type'], it['.anonymous'] ? null : it['.name']);

			if (there)
				options(there).filter(name => !(name in it) && !SECRET.includes(name)).forEach(name => uci.unset('oasis6', sid, name));
			options(it).forEach(name => uci.set('oasis6', sid, name, it[name]));
		}
	}
});

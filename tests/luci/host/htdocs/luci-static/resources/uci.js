'use strict';
'require baseclass';
'require rpc';

/* UCI with changes that are kept here until save(), and on the router until they are applied. */

const call = (method, params, expect) => rpc.declare({ object: 'uci', method, params, expect, reject: true });
const remote = {
	get: call('get', [ 'config' ], { values: {} }),
	add: call('add', [ 'config', 'type', 'name', 'values' ], { section: '' }),
	set: call('set', [ 'config', 'section', 'values' ]),
	remove: call('delete', [ 'config', 'section', 'options' ]),
	order: call('order', [ 'config', 'sections' ])
};

return baseclass.extend({
	__init__() {
		/* config → { base: section → values, now: section → values, moved } */
		this.packages = {};
		this.loads = {};
		this.fresh = 0;
	},

	changes: rpc.declare({ object: 'uci', method: 'changes', expect: { changes: {} } }),

	load(configs) {
		const wanted = L.toArray(configs).filter(config => !this.packages[config]);

		return Promise.all(wanted.map(config => this.loads[config] ??= remote.get(config).then(values => {
			this.packages[config] = { base: values, now: structuredClone(values), moved: false };
		}))).then(() => {
			if (wanted.length)
				document.dispatchEvent(new CustomEvent('uci-loaded'));
			return wanted;
		});
	},

	unload(configs) {
		for (const config of L.toArray(configs)) {
			delete this.packages[config];
			delete this.loads[config];
		}
	},

	resolveSID(config, section) {
		const [ , type, at ] = /^@([\w-]+)\[(-?\d+)\]$/.exec(section) ?? [];
		return type ? this.sections(config, type).at(+at)?.['.name'] ?? null : section;
	},

	sections(config, type, fn) {
		const found = Object.values(this.packages[config]?.now ?? {}).filter(section => !type || section['.type'] == type)
			.sort((a, b) => a['.index'] - b['.index']).map(section => ({ ...section }));
		if (fn)
			found.forEach(section => fn.call(this, section, section['.name']));
		return found;
	},

	get(config, section, option) {
		const values = this.packages[config]?.now[this.resolveSID(config, section)];
		return option == null ? values ?? null : values?.[option] ?? null;
	},

	get_bool(config, section, option) {
		return [ '1', 'on', 'true', 'yes', 'enabled' ].includes(String(this.get(config, section, option)).toLowerCase());
	},

	get_first(config, type, option) {
		return this.get(config, `@${type}[0]`, option);
	},

	set(config, section, option, value) {
		const values = this.packages[config]?.now[this.resolveSID(config, section)];
		if (!values || option == null || option.startsWith('.'))
			return;
		if (value == null || value === '')
			delete values[option];
		else
			values[option] = value;
	},

	unset(config, section, option) {
		this.set(config, section, option, null);
	},

	add(config, type, name) {
		const section = name || `new${(this.fresh + 0x100000).toString(16)}`;
		this.packages[config].now[section] = { '.type': type, '.name': section, '.create': name ?? null, '.anonymous': !name, '.index': 1000 + this.fresh++, '.new': true };
		return section;
	},

	remove(config, section) {
		delete this.packages[config].now[this.resolveSID(config, section)];
	},

	move(config, section, before, after) {
		const all = this.sections(config).map(one => one['.name']).filter(name => name != section);
		const at = before == null ? all.length : all.indexOf(before) + (after ? 1 : 0);
		all.splice(at, 0, section);
		all.forEach((name, index) => { this.packages[config].now[name]['.index'] = index; });
		this.packages[config].moved = true;
		return true;
	},

	save() {
		const tasks = [], touched = new Set();
		const changed = (a, b) => JSON.stringify(a) != JSON.stringify(b);

		for (const [ config, { base, now, moved } ] of Object.entries(this.packages)) {
			const own = values => Object.entries(values).filter(([ name ]) => !name.startsWith('.'));
			const does = promise => tasks.push(promise) && touched.add(config);

			for (const section in base)
				if (!now[section] || now[section]['.new'])
					does(remote.remove(config, section));

			for (const [ section, values ] of Object.entries(now)) {
				if (values['.new']) {
					does(remote.add(config, values['.type'], values['.create'] ?? undefined, Object.fromEntries(own(values))).then(name => { values['.name'] = name; }));
					continue;
				}
				const set = own(values).filter(([ name, value ]) => changed(value, base[section][name]));
				const gone = own(base[section]).map(([ name ]) => name).filter(name => !(name in values));
				if (gone.length)
					does(remote.remove(config, section, gone));
				if (set.length)
					does(remote.set(config, section, Object.fromEntries(set)));
			}
			if (moved)
				touched.add(config);
		}

		const configs = [ ...touched ];
		return Promise.all(tasks)
			.then(() => Promise.all(configs.filter(config => this.packages[config].moved).map(config => remote.order(config, this.sections(config).map(one => one['.name'])))))
			.then(() => {
				this.unload(configs);
				return this.load(configs);
			});
	}
});

// What answers a page's calls: uhttpd's JSON-RPC with rpcd's sessions, access lists and `uci`; all other objects are the
// router's (see router.mjs).
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Store } from './uci.mjs';

// ubus' status codes, as rpcd answers them
const OK = 0, METHOD_NOT_FOUND = 3, NOT_FOUND = 4, NO_DATA = 5, DENIED = 6, UNKNOWN = 9;
export const NOBODY = '0'.repeat(32);
// what uhttpd says before rpcd is asked
const NO_OBJECT = [-32000, 'Object not found'], NO_ACCESS = [-32002, 'Access denied'];

// Everything in these folders of acl.d: scope → object → methods, and whether a part of it may be written.
export function readAcl(folders) {
	const allowed = { read: {}, write: {} };
	for (const folder of folders)
		for (const file of readdirSync(folder).filter(name => name.endsWith('.json')))
			for (const group of Object.values(JSON.parse(readFileSync(join(folder, file), 'utf8'))))
				for (const right of ['read', 'write'])
					for (const [scope, what] of Object.entries(group[right] ?? {}))
						for (const [object, methods] of Array.isArray(what) ? what.map(name => [name, [right]]) : Object.entries(what))
							(((allowed[right][scope] ??= {})[object]) ??= []).push(...methods);
	return allowed;
}

export class Rpcd {
	#sessions = new Set();
	#rollback = null;

	// router: { objects, call(object, method, params), reload() }
	constructor({ configs, acl, router, rollback = 90 }) {
		Object.assign(this, { store: new Store(configs), acl, router, rollback });
		// every call that was made, for tests: [object, method]
		this.calls = [];
	}

	login() {
		const session = randomBytes(16).toString('hex');
		this.#sessions.add(session);
		return session;
	}

	knows(session) {
		return this.#sessions.has(session);
	}

	// All sessions run out, and what was changed in them and not applied is gone, as on a router.
	expire() {
		for (const session of this.#sessions)
			this.store.forget(session);
		this.#sessions.clear();
	}

	#may(session, scope, object, method) {
		// whoever is nobody may ask these; a session that ran out may ask nothing
		if ((this.knows(session) || session == NOBODY) && (object == 'session' || (object == 'luci' && method == 'getFeatures')))
			return true;
		const listed = right => this.acl[right][scope]?.[object]?.some(name => name == method || name == '*');
		return this.knows(session) && Boolean(listed('read') || listed('write'));
	}

	// A program is listed with its arguments.
	#mayFile(method, { path, command, params = [] }) {
		const listed = this.acl.read.file?.[command == null ? path : [command, ...params].join(' ')];
		return Boolean(listed?.includes(method));
	}

	async answer(request) {
		const reply = result => ({ jsonrpc: '2.0', id: request?.id ?? null, ...result });
		const error = ([code, message]) => reply({ error: { code, message } });
		if (request?.jsonrpc != '2.0' || typeof request.method != 'string')
			return error([-32600, 'Invalid request']);
		if (request.method == 'list')
			return reply({ result: Object.fromEntries((request.params ?? ['*']).map(name => [name, {}])) });
		if (request.method != 'call' || !Array.isArray(request.params))
			return error([-32601, 'Method not found']);
		const [session, object, method, params = {}] = request.params;
		this.calls.push([object, method]);
		const own = object == 'session' || object == 'uci';
		if (!own && !await this.router.has(object))
			return error(NO_OBJECT);
		if (!this.#may(session, 'ubus', object, method))
			return error(NO_ACCESS);
		if (object == 'file' && !this.#mayFile(method, params))
			return reply({ result: [DENIED] });
		if (!own)
			return reply({ result: await this.router.call(object, method, params) });
		const does = object == 'session' ? this.#session : this.#uci;
		try {
			return reply({ result: await does.call(this, session, method, params) });
		}
		catch (problem) {
			console.error(`${object}.${method}: ${problem.stack}`);
			return reply({ result: [UNKNOWN] });
		}
	}

	#session(session, method, { scope, object, function: what }) {
		if (method != 'access')
			return [METHOD_NOT_FOUND];
		if (!this.knows(session))
			return [NOT_FOUND];
		if (scope == null)
			return [OK, { ubus: this.acl.read.ubus, uci: this.acl.read.uci, 'access-group': {} }];
		const right = scope == 'ubus' ? this.#may(session, scope, object, what) : this.acl[what]?.[scope]?.[object] != null;
		return [OK, { access: right }];
	}

	async #uci(session, method, { config, section, type, name, values, option, options, sections }) {
		const { store } = this;
		const needs = { get: 'read', changes: null, configs: null, apply: null, confirm: null }[method];
		if (needs !== null && !this.acl[needs ?? 'write'].uci?.[config])
			return [DENIED];
		if (needs !== null && !store.has(config))
			return [NOT_FOUND];
		switch (method) {
			case 'configs':
				return [OK, { configs: store.configs() }];
			case 'get': {
				const all = store.values(session, config);
				if (section == null)
					return [OK, { values: all }];
				if (!all[section])
					return [NOT_FOUND];
				return option == null ? [OK, { values: all[section] }] : all[section][option] == null ? [NOT_FOUND]
					: [OK, { value: all[section][option] }];
			}
			case 'changes':
				return [OK, { changes: store.changes(session) }];
			case 'add': {
				const added = store.add(session, config, type, name);
				store.stage(session, config, ...Object.entries(values ?? {}).map(([key, value]) => ['set', added, key, clean(value)]));
				return [OK, { section: added }];
			}
			case 'set':
				if (!store.values(session, config)[section])
					return [NOT_FOUND];
				store.stage(session, config, ...Object.entries(values).map(([key, value]) => ['set', section, key, clean(value)]));
				return [OK];
			case 'delete':
				if (!store.values(session, config)[section])
					return [NOT_FOUND];
				store.stage(session, config, ...(options == null ? [['remove', section]] : options.map(key => ['remove', section, key])));
				return [OK];
			case 'order':
				store.stage(session, config, ...sections.map((key, index) => ['order', key, index]));
				return [OK];
			case 'revert':
				store.revert(session, config);
				return [OK];
			case 'apply':
				return [await this.apply(session, true) ? OK : NO_DATA];
			case 'confirm':
				return [this.confirm() ? OK : NO_DATA];
		}
		return [METHOD_NOT_FOUND];
	}

	// Writes and reloads. With `rollback`, what was before comes back unless `confirm` follows in time.
	async apply(session, rollback) {
		if (!Object.keys(this.store.changes(session)).length || this.#rollback)
			return false;
		const before = this.store.commit(session);
		if (rollback)
			this.#rollback = setTimeout(async () => {
				this.#rollback = null;
				for (const [config, text] of Object.entries(before))
					this.store.write(config, text);
				await this.router.reload();
			}, this.rollback * 1000);
		await this.router.reload();
		return true;
	}

	confirm() {
		if (!this.#rollback)
			return false;
		clearTimeout(this.#rollback);
		this.#rollback = null;
		return true;
	}

	revert(session) {
		this.store.forget(session);
	}

	stop() {
		clearTimeout(this.#rollback);
	}
}

const clean = value => Array.isArray(value) ? value.map(String) : typeof value == 'boolean' ? String(Number(value)) : String(value);

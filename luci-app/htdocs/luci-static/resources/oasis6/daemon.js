'use strict';
'require baseclass';
'require rpc';
'require oasis6.words as words';

const ask = {
	status: rpc.declare({ object: 'oasis6', method: 'status' }),
	uplinks: rpc.declare({ object: 'oasis6', method: 'uplinks' }),
	leases: rpc.declare({ object: 'oasis6', method: 'leases' }),
	names: rpc.declare({ object: 'oasis6', method: 'names' }),
	check: rpc.declare({ object: 'luci.oasis6', method: 'check', params: [ 'config' ] }),
	plan: rpc.declare({ object: 'luci.oasis6', method: 'plan', params: [ 'config' ] }),
	key: rpc.declare({ object: 'luci.oasis6', method: 'key', params: [ 'uplink' ] }),
	service: rpc.declare({ object: 'rc', method: 'list', params: [ 'name' ] })
};

/* A list of objects, whatever came. */
function objects(list) {
	return words.list(list).filter(L.isObject);
}

/* uhttpd says by an error that nobody has this object; other errors, as that of a session that is over, stay. */
function unlessAbsent(answer) {
	return answer.catch(error => {
		if (!/-32000/.test(error.message))
			throw error;

		return null;
	});
}

/* Why the daemon does not answer: missing, stopped, or its program has no ubus object (oasis6-mini). */
function absence() {
	return L.resolveDefault(ask.service('oasis6'), null).then(services => {
		const service = L.isObject(services) ? services.oasis6 : null;

		if (!L.isObject(service))
			return services == null ? 'stopped' : 'missing';

		return service.running ? 'mute' : 'stopped';
	});
}

return baseclass.extend({
	/* { kind, status, uplinks, moves }: kind is `ok`, `older` (it lacks what these pages show), `missing`, `stopped` or `mute`.
	   Never fails, except when the session is over: that is LuCI's to say. */
	look() {
		return Promise.all([ unlessAbsent(ask.status()), unlessAbsent(ask.uplinks()) ]).then(([ status, uplinks ]) => {
			if (!L.isObject(status) || status.error)
				return absence().then(kind => ({ kind, status: {}, uplinks: [], moves: [] }));

			const known = L.isObject(uplinks) && Array.isArray(uplinks.uplinks);

			return {
				kind: known ? 'ok' : 'older',
				status,
				uplinks: objects(known ? uplinks.uplinks : status.uplinks),
				moves: objects(known ? uplinks.moves : null)
			};
		});
	},

	leases() {
		return unlessAbsent(ask.leases()).then(answer => ({ rows: objects(answer?.leases), left_out: +answer?.left_out || 0 }));
	},

	/* Null: this daemon knows no names. */
	names() {
		return unlessAbsent(ask.names()).then(answer => Array.isArray(answer?.names)
			? { rows: objects(answer.names), left_out: +answer.left_out || 0 } : null);
	},

	/* The problems of a configuration that is not saved yet; null: nobody could be asked. */
	check(config) {
		return ask.check(config).then(answer => L.isObject(answer) && Array.isArray(answer.problems) ? objects(answer.problems) : null);
	},

	/* What would change; null: nobody could be asked. */
	plan(config) {
		return ask.plan(config).then(answer => L.isObject(answer) && Array.isArray(answer.ops) ? answer : null);
	},

	/* The public key of a WireGuard uplink, made if there is none yet; the private one stays on the router. Null: it can't be. */
	key(uplink) {
		return ask.key(uplink).then(answer => typeof answer?.public_key == 'string' ? answer.public_key : null);
	}
});

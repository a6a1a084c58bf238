'use strict';
'require baseclass';
'require request';

/* ubus over JSON-RPC, as LuCI's rpc module does it. */

const STATUS = [ 'Command OK', 'Invalid command', 'Invalid argument', 'Method not found', 'Resource not found', 'No data received',
	'Permission denied', 'Request timed out', 'Not supported', 'Unspecified error', 'Connection lost' ];
const interceptors = [];
let id = 1;

return baseclass.extend({
	getStatusText: code => _(STATUS[code] ?? 'Unknown error code'),
	getSessionID: () => L.env.sessionid,
	getBaseURL: () => L.env.ubuspath,

	addInterceptor(fn) {
		interceptors.push(fn);
		return fn;
	},

	/* { object, method, params: names, expect: { key: default }, filter, reject } */
	declare({ object, method, params = [], expect, filter, reject, nobatch }) {
		return (...args) => {
			const given = Object.fromEntries(params.map((name, at) => [ name, args[at] ]).filter(([ , value ]) => value !== undefined));
			const call = { object, method, params: given };
			const message = { jsonrpc: '2.0', id: id++, method: 'call', params: [ L.env.sessionid, object, method, given ] };
			const failed = (text, ...values) => L.raise('RPCError', `RPC call to %s/%s failed with ${text}`, object, method, ...values);

			return request.post(L.env.ubuspath, message, { timeout: 20000, nobatch }).then(response => {
				if (!response.ok)
					failed('HTTP error %d: %s', response.status, response.statusText || '?');

				const reply = response.json();

				return Promise.all(interceptors.map(fn => fn(reply, call))).then(() => reply);
			}).then(reply => {
				if (reply.error?.code && reply.error.message)
					failed('error %d: %s', reply.error.code, reply.error.message);

				const [ code, data ] = reply.result;
				if (reject && code !== 0)
					failed('ubus code %d: %s', code, this.getStatusText(code));

				let value = reply.result.length > 1 ? data : code;
				for (const [ key, otherwise ] of Object.entries(expect ?? {}).slice(0, 1)) {
					if (value != null && key != '')
						value = value[key];
					if (value == null || Object.prototype.toString.call(value) != Object.prototype.toString.call(otherwise))
						value = otherwise;
				}

				return filter ? filter.call(this, value, given, ...args.slice(params.length)) : value;
			});
		};
	}
});

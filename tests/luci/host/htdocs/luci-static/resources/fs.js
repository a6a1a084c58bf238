'use strict';
'require baseclass';
'require rpc';

/* Programs and files of the router, as far as the access list allows them. */

const exec = rpc.declare({ object: 'file', method: 'exec', params: [ 'command', 'params', 'env' ] });

return baseclass.extend({
	exec(command, params, env) {
		return exec(command, params ?? [], env).then(reply => {
			if (typeof reply == 'number')
				L.raise('Error', rpc.getStatusText(reply));
			return reply;
		});
	},

	exec_direct(command, params) {
		return this.exec(command, params).then(reply => reply.stdout ?? '');
	}
});

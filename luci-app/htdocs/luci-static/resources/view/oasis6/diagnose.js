'use strict';
'require view';
'require oasis6.daemon as daemon';
'require oasis6.words as words';

return view.extend({
	load() {
		return daemon.look();
	},

	render(look) {
		return E('div', { 'class': 'o6' }, [ E('h2', {}, [ _('Diagnose IPv6') ]), E('p', {}, [ words.headline(look).text ]) ]);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});

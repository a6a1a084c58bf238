'use strict';
'require view';
'require form';

return view.extend({
	render() {
		const map = new form.Map('oasis6', _('IPv6 settings'));

		return map.render();
	}
});

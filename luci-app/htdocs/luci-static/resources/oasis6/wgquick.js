'use strict';
'require baseclass';

/* Reads a file of wg-quick: { options, problems }. Options are those of an uplink; each problem names its line. Takes any text. */

const MOST = 64 * 1024;
const KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

const WANTED = {
	'interface privatekey': 'private_key',
	'interface listenport': 'listen_port',
	'interface mtu': 'mtu',
	'interface address': 'address',
	'peer publickey': 'peer_key',
	'peer presharedkey': 'preshared_key',
	'peer endpoint': 'endpoint',
	'peer allowedips': 'allowed_ips',
	'peer persistentkeepalive': 'keepalive'
};

/* They are for other programs, or ours does that by itself. */
const PASSED_BY = [ 'interface dns', 'interface table', 'interface fwmark', 'interface saveconfig',
	'interface preup', 'interface postup', 'interface predown', 'interface postdown' ];

const LISTS = [ 'address', 'allowed_ips' ];

function parse(text) {
	const options = {}, problems = [];
	const wrong = (line, message) => problems.push({ line, message });
	let section = '', peers = 0;

	if (text.length > MOST) {
		wrong(0, _('The file is too long.'));
		return { options, problems };
	}

	text.split(/\r\n|\r|\n/).forEach((raw, index) => {
		const line = raw.replace(/#.*/, '').trim(), number = index + 1;

		if (!line)
			return;

		const head = /^\[(\w+)\]$/.exec(line);

		if (head) {
			section = head[1].toLowerCase();
			if (section != 'interface' && section != 'peer')
				wrong(number, _('This section is not known.'));
			if (section == 'peer' && ++peers == 2)
				wrong(number, _('There is more than one peer: an uplink has one.'));
			return;
		}

		const equals = line.indexOf('=');

		if (equals < 1)
			return wrong(number, _('There is no “name = value”.'));
		if (!section)
			return wrong(number, _('It stands before the first section.'));
		if (section == 'peer' && peers > 1)
			return;

		const key = section + ' ' + line.slice(0, equals).trim().toLowerCase();
		const value = line.slice(equals + 1).trim();

		if (PASSED_BY.includes(key))
			return;
		if (!Object.hasOwn(WANTED, key))
			return wrong(number, _('This setting is not known.'));

		const option = WANTED[key];

		if (/key$/.test(option) && !KEY.test(value))
			return wrong(number, _('This is no WireGuard key.'));
		if (option == 'keepalive' && value.toLowerCase() == 'off')
			options.keepalive = '0';
		else if (/^(listen_port|mtu|keepalive)$/.test(option) && !/^\d{1,5}$/.test(value))
			wrong(number, _('This is no number.'));
		else if (LISTS.includes(option))
			/* the tunnel carries IPv6 alone */
			options[option] = (options[option] ?? []).concat(value.split(',').map(it => it.trim()).filter(it => it.includes(':')));
		else
			options[option] = value;
	});

	if (!options.private_key)
		wrong(0, _('The private key is missing.'));
	if (!options.peer_key)
		wrong(0, _('The public key of the peer is missing.'));
	for (const list of LISTS)
		if (options[list] && !options[list].length)
			delete options[list];
	if (!options.address)
		wrong(0, _('There is no IPv6 address for this router.'));

	return { options, problems };
}

return baseclass.extend({ parse });

'use strict';
'require baseclass';

/* LuCI's datatypes: words such as `or(cidr6, range(1,9))`, and a validator that marks a field. */

const number = text => /^-?\d+(\.\d+)?$/.test(text) ? +text : NaN;
const whole = text => /^-?\d+$/.test(text) ? +text : NaN;

function parseIPv4(text) {
	const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
	return parts?.every(part => part < 256) ? parts : null;
}

function parseIPv6(text) {
	const [ , head, tail ] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? [ null, text, null ];
	const four = tail && parseIPv4(tail);
	if (tail && !four)
		return null;
	const full = tail ? `${head}${(four[0] << 8 | four[1]).toString(16)}:${(four[2] << 8 | four[3]).toString(16)}` : text;
	const halves = full.split('::');
	const words = halves.map(half => half == '' ? [] : half.split(':'));
	if (halves.length > 2 || !words.flat().every(word => /^[0-9a-fA-F]{1,4}$/.test(word)))
		return null;
	const missing = 8 - words.flat().length;
	if (halves.length == 2 ? missing < 1 : missing != 0)
		return null;
	return [ ...words[0], ...Array(missing).fill('0'), ...words[1] ?? [] ].map(word => parseInt(word, 16));
}

const withLength = (parse, most) => (text, bare) => {
	const [ address, length, extra ] = text.split('/');
	return extra == null && parse(address) != null && (length == null || (!bare && whole(length) >= 0 && whole(length) <= most));
};
const ip4 = withLength(parseIPv4, 32), ip6 = withLength(parseIPv6, 128);
const port = text => whole(text) >= 0 && whole(text) <= 65535;
const hostname = text => text.length <= 253 && /^([a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?\.?)+$/.test(text) && !/^[0-9.]+$/.test(text);

/* name → [ test(value, arguments), what is expected(arguments) ]. An argument is a number, a text or a test. */
const TYPES = {
	string: [ () => true, () => '' ],
	file: [ () => true, () => '' ],
	directory: [ () => true, () => '' ],
	uciname: [ v => /^\w+$/.test(v), () => _('valid UCI identifier') ],
	integer: [ v => !isNaN(whole(v)), () => _('valid integer value') ],
	uinteger: [ v => whole(v) >= 0, () => _('positive integer value') ],
	float: [ v => !isNaN(number(v)), () => _('valid decimal value') ],
	ufloat: [ v => number(v) >= 0, () => _('positive decimal value') ],
	range: [ (v, [ a, b ]) => number(v) >= a && number(v) <= b, ([ a, b ]) => _('value between %f and %f').format(a, b) ],
	min: [ (v, [ a ]) => number(v) >= a, ([ a ]) => _('value greater or equal to %f').format(a) ],
	max: [ (v, [ a ]) => number(v) <= a, ([ a ]) => _('value smaller or equal to %f').format(a) ],
	length: [ (v, [ n ]) => v.length == n, ([ n ]) => _('value with %d characters').format(n) ],
	rangelength: [ (v, [ a, b ]) => v.length >= a && v.length <= b, ([ a, b ]) => _('value between %d and %d characters').format(a, b) ],
	minlength: [ (v, [ n ]) => v.length >= n, ([ n ]) => _('value with at least %d characters').format(n) ],
	maxlength: [ (v, [ n ]) => v.length <= n, ([ n ]) => _('value with at most %d characters').format(n) ],
	ipaddr: [ (v, [ bare ]) => ip4(v, bare) || ip6(v, bare), () => _('valid IP address') ],
	ip4addr: [ (v, [ bare ]) => ip4(v, bare), () => _('valid IPv4 address') ],
	ip6addr: [ (v, [ bare ]) => ip6(v, bare), () => _('valid IPv6 address') ],
	cidr4: [ v => v.includes('/') && ip4(v), () => _('valid IPv4 CIDR') ],
	cidr6: [ v => v.includes('/') && ip6(v), () => _('valid IPv6 CIDR') ],
	cidr: [ v => v.includes('/') && (ip4(v) || ip6(v)), () => _('valid IPv4 or IPv6 CIDR') ],
	ip6hostid: [ v => v == 'eui64' || v == 'random' || /^::/.test(v) && parseIPv6(v) != null, () => _('valid IPv6 host id') ],
	port: [ port, () => _('valid port value') ],
	portrange: [ v => v.split('-').length <= 2 && v.split('-').every(port), () => _('valid port or port range (port1-port2)') ],
	macaddr: [ v => /^([0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}$/.test(v), () => _('valid MAC address') ],
	hostname: [ hostname, () => _('valid hostname') ],
	host: [ v => hostname(v) || ip4(v, true) || ip6(v, true), () => _('valid hostname or IP address') ],
	hostport: [ v => /^(.+):(\d+)$/.test(v) && port(/:(\d+)$/.exec(v)[1]), () => _('valid host:port') ],
	network: [ v => /^\w+$/.test(v) || ip4(v) || ip6(v), () => _('valid UCI identifier, hostname or IP address range') ],
	hexstring: [ v => /^([0-9a-fA-F]{2})+$/.test(v), () => _('hexadecimal encoded value') ],
	or: [ (v, tests) => tests.some(test => test(v) === true), (tests, v) => tests.map(test => test(v)).join(' / ') ],
	and: [ (v, tests) => tests.every(test => test(v) === true), (tests, v) => tests.map(test => test(v)).find(said => said !== true) ],
	neg: [ (v, [ test ]) => test(v.replace(/^\s*!\s*/, '')) === true, ([ test ], v) => test(v) ],
	list: [ (v, [ test ]) => v.split(/\s+/).every(word => test(word) === true), () => _('list of values') ]
};

/* A test: value → true, or what is expected. */
function compile(code) {
	const words = code.match(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[(),]|[^(),\s]+/g) ?? [];
	const one = () => {
		const word = words.shift();
		if (/^["']/.test(word))
			return word.slice(1, -1).replace(/\\(.)/g, '$1');
		if (!isNaN(word))
			return +word;
		if (!TYPES[word])
			L.raise('SyntaxError', 'Unhandled token "%s"', word);
		const args = [];
		if (words[0] == '(') {
			do {
				words.shift();
				args.push(one());
			} while (words[0] == ',');
			words.shift();
		}
		const [ test, expected ] = TYPES[word];
		return value => test(value, args) ? true : expected(args, value);
	};
	return one();
}

const Validator = baseclass.extend({
	__init__(field, type, optional, extra) {
		Object.assign(this, { field, optional, extra, test: compile(type) });
	},

	validate() {
		const { field } = this;
		const value = field.value ?? '';
		let said = true;

		if (!field.closest('body') && !field.closest('[data-field]'))
			return true;

		if (value == '')
			said = this.optional ? true : _('Expecting: %s').format(_('non-empty value'));
		else {
			const expected = this.test(value);
			said = expected === true ? true : _('Expecting: %s').format(expected);
		}

		for (const fn of L.toArray(this.extra))
			if (said === true)
				said = fn(value);

		this.error = said === true ? null : said;
		field.classList.toggle('cbi-input-invalid', said !== true);
		if (said === true) {
			field.removeAttribute('data-tooltip');
			field.removeAttribute('data-tooltip-style');
		}
		else {
			field.setAttribute('data-tooltip', said);
			field.setAttribute('data-tooltip-style', 'error');
		}
		field.dispatchEvent(new CustomEvent(said === true ? 'validation-success' : 'validation-failure', { bubbles: true, detail: { message: said } }));
		return said === true;
	}
});

return baseclass.extend({
	create: (field, type, optional, extra) => new Validator(field, type, optional, extra),
	parseIPv4, parseIPv6, parseInteger: whole, parseDecimal: number
});

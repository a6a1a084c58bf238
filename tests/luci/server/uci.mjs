// UCI files, and what a session changed in them but has not applied: as rpcd's object `uci` keeps it.
import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// The words of a line; a comment ends it.
function words(line) {
	const found = [];
	const word = /\s*(?:#.*$|((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"#\\]|(?<=[^\s])#)+))/gy;
	for (let m; (m = word.exec(line)) && m[1] != null;)
		found.push(m[1].replace(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g, (_, a, b, c) => a ?? b?.replace(/\\(.)/g, '$1') ?? c));
	return found;
}

// The sections of a file, in order: { name, type, anonymous, options }, where a list is an array.
export function parse(text) {
	const sections = [];
	for (const line of text.split('\n')) {
		const [keyword, name, value] = words(line);
		const last = sections.at(-1);
		if (keyword == 'config')
			sections.push({ name: value ?? anonymous(sections.length, name), type: name, anonymous: value == null, options: {} });
		else if (keyword == 'option' && last)
			last.options[name] = value;
		else if (keyword == 'list' && last)
			last.options[name] = [].concat(last.options[name] ?? [], value);
	}
	return sections;
}

function anonymous(index, salt) {
	let sum = 5381;
	for (const letter of salt)
		sum = (sum * 33 + letter.charCodeAt(0)) & 0xffff;
	return `cfg${(index + 1).toString(16).padStart(2, '0')}${sum.toString(16).padStart(4, '0')}`;
}

export function print(sections) {
	const quoted = value => `'${String(value).replace(/'/g, "'\\''")}'`;
	return sections.map(section => `config ${section.type}${section.anonymous ? '' : ` ${quoted(section.name)}`}\n` +
		Object.entries(section.options).map(([name, value]) => Array.isArray(value)
			? value.map(one => `\tlist ${name} ${quoted(one)}\n`).join('') : `\toption ${name} ${quoted(value)}\n`).join('')).join('\n');
}

// The folder of all files, and the changes of every session.
export class Store {
	#staged = new Map();

	constructor(folder) {
		this.folder = folder;
	}

	configs() {
		return readdirSync(this.folder).filter(name => /^\w+$/.test(name));
	}

	has(config) {
		return this.configs().includes(config);
	}

	text(config) {
		return readFileSync(join(this.folder, config), 'utf8');
	}

	write(config, text) {
		const path = join(this.folder, config);
		writeFileSync(`${path}.new`, text);
		renameSync(`${path}.new`, path);
	}

	#changes(session) {
		if (!this.#staged.has(session))
			this.#staged.set(session, {});
		return this.#staged.get(session);
	}

	forget(session) {
		this.#staged.delete(session);
	}

	// As `uci changes`: config → [["add", section, type], ["set", section, option, value], …]
	changes(session) {
		return Object.fromEntries(Object.entries(this.#changes(session)).filter(([, list]) => list.length));
	}

	// The file with this session's changes.
	sections(session, config) {
		const sections = parse(this.text(config));
		for (const change of this.#changes(session)[config] ?? [])
			apply(sections, change);
		return sections;
	}

	// As `uci get` answers: section → { .name, .type, .anonymous, .index, options… }
	values(session, config) {
		return Object.fromEntries(this.sections(session, config).map((section, index) => [section.name,
			{ '.anonymous': section.anonymous, '.type': section.type, '.name': section.name, '.index': index, ...section.options }]));
	}

	stage(session, config, ...changes) {
		const all = this.#changes(session);
		all[config] = (all[config] ?? []).concat(changes);
	}

	add(session, config, type, name) {
		const section = name ?? anonymous(this.sections(session, config).length, type + Math.random());
		this.stage(session, config, ['add', section, type, name == null]);
		return section;
	}

	revert(session, config) {
		delete this.#changes(session)[config];
	}

	// Writes a session's changes to the files. Returns what these were before: config → text
	commit(session) {
		const before = {};
		for (const config of Object.keys(this.changes(session))) {
			before[config] = this.text(config);
			this.write(config, print(this.sections(session, config)));
			this.revert(session, config);
		}
		return before;
	}
}

function apply(sections, [what, name, option, value]) {
	const at = sections.findIndex(section => section.name == name);
	const section = sections[at];
	if (what == 'add')
		sections.push({ name, type: option, anonymous: value, options: {} });
	else if (what == 'order')
		sections.splice(option, 0, ...sections.splice(at, 1));
	else if (what == 'remove' && section && option == null)
		sections.splice(at, 1);
	else if (what == 'remove' && section)
		delete section.options[option];
	else if (what == 'set' && section)
		section.options[option] = value;
}

'use strict';
'require baseclass';
'require oasis6.draw as draw';
'require oasis6.words as words';

/* Tables that may have hundreds of rows: sorted by any column, searched, and drawn anew only where something changed.

   A column is { title, text(row), sort(row)?, fill(td, row)?, numeric? }. What `text` gives is shown, found by the search, and
   decides whether a cell is drawn anew; `fill` draws it otherwise, and `sort` gives what it is sorted by. */

/* Rows that are drawn at first; the others come by a button. */
const PAGE = 50;

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
let tables = 0;

function compare(a, b) {
	return typeof a == 'number' && typeof b == 'number' ? a - b : collator.compare(String(a), String(b));
}

const Table = baseclass.extend({
	/* options: { caption, columns, key(row), search?, empty, sorted? } */
	__init__(options) {
		this.options = options;
		this.rows = [];
		this.drawn = new Map();
		this.most = PAGE;
		this.by = options.sorted ?? null;
		this.down = false;
		this.build();
	},

	build() {
		const { caption, columns, search } = this.options;
		const id = 'o6-table-%d'.format(++tables);

		this.body = E('tbody', { role: 'rowgroup' });
		this.heads = columns.map((column, n) => {
			const button = search ? E('button', { 'class': 'o6-sort', type: 'button', click: () => this.sort(n) }, [ column.title ]) : null;

			return E('th', { 'class': 'th', role: 'columnheader', scope: 'col' }, [ button ?? column.title ]);
		});
		this.more = E('button', { 'class': 'btn cbi-button', type: 'button', hidden: '', click: () => this.showAll() });
		this.note = E('p', { 'class': 'o6-note', hidden: '' });
		this.count = E('span', { 'class': 'o6-count', role: 'status' });
		this.field = search ? E('input', {
			type: 'search', 'class': 'cbi-input-text', 'aria-controls': id, 'aria-label': words.put(_('Search in %s'), caption),
			placeholder: _('Search…'), input: () => this.draw()
		}) : '';
		this.node = E('section', { 'class': 'cbi-section o6-section' }, [
			E('div', { 'class': 'o6-bar' }, [ E('h3', { id: id + '-title' }, [ caption ]), E('span', { 'class': 'o6-tools' }, [ this.count, this.field ]) ]),
			E('table', { id, 'class': 'table o6-table', role: 'table', 'aria-labelledby': id + '-title' }, [
				E('thead', { role: 'rowgroup' }, [ E('tr', { 'class': 'tr table-titles', role: 'row' }, this.heads) ]),
				this.body
			]),
			this.note,
			this.more
		]);
	},

	sort(column) {
		this.down = this.by === column && !this.down;
		this.by = column;
		this.draw();
	},

	showAll() {
		this.most = Infinity;
		this.draw();
	},

	/* Takes other rows; `note` stands below them. */
	update(rows, note) {
		this.rows = rows;
		this.note.textContent = note || '';
		this.note.hidden = !note;
		this.draw();

		return this.node;
	},

	/* The rows to be shown, in order. */
	chosen() {
		const { columns } = this.options;
		const wanted = this.field ? this.field.value.trim().toLowerCase() : '';
		const found = wanted ? this.rows.filter(row => columns.some(column => column.text(row).toLowerCase().includes(wanted))) : this.rows.slice();

		if (this.by != null) {
			const by = columns[this.by].sort ?? columns[this.by].text;
			const keyed = found.map(row => [ by(row), row ]);

			keyed.sort((a, b) => compare(a[0], b[0]));
			if (this.down)
				keyed.reverse();

			return keyed.map(pair => pair[1]);
		}

		return found;
	},

	draw() {
		const { empty, search, key } = this.options;
		const chosen = this.chosen(), shown = chosen.slice(0, this.most), left = new Set(this.drawn.keys());
		let next = this.body.firstChild;

		shown.forEach((row, n) => {
			let id = key ? key(row) : n;

			/* two rows of one key are both shown */
			while (key && !left.has(id) && this.drawn.has(id))
				id += '+';
			left.delete(id);

			const tr = this.row(id, row);

			if (tr === next)
				next = next.nextSibling;
			else
				this.body.insertBefore(tr, next);
		});
		for (const id of left) {
			this.drawn.get(id).tr.remove();
			this.drawn.delete(id);
		}

		this.heads.forEach((head, n) => {
			if (this.by === n)
				head.setAttribute('aria-sort', this.down ? 'descending' : 'ascending');
			else
				head.removeAttribute('aria-sort');
		});
		if (!shown.length && !this.placeholder)
			this.placeholder = this.body.appendChild(E('tr', { 'class': 'tr placeholder', role: 'row' }, [ E('td', { 'class': 'td', role: 'cell', colspan: this.heads.length }) ]));
		else if (shown.length && this.placeholder)
			this.placeholder = this.placeholder.remove() ?? null;
		if (this.placeholder)
			this.placeholder.firstChild.textContent = this.rows.length ? _('Nothing found.') : empty;
		this.more.hidden = chosen.length <= shown.length;
		this.more.textContent = words.put(_('Show all %d'), chosen.length);
		if (search)
			this.count.textContent = chosen.length == this.rows.length ? String(this.rows.length) : words.put(_('%d of %d'), chosen.length, this.rows.length);
	},

	/* The line of a row, changed where its text is another. */
	row(id, row) {
		const { columns } = this.options;
		let line = this.drawn.get(id);

		if (!line) {
			const cells = columns.map(column => E('td', { 'class': column.numeric ? 'td o6-number' : 'td', role: 'cell', 'data-title': column.title }));

			line = { tr: E('tr', { 'class': 'tr', role: 'row' }, cells), cells, texts: [] };
			this.drawn.set(id, line);
		}

		columns.forEach((column, n) => {
			const text = column.text(row);

			if (line.texts[n] === text)
				return;

			line.texts[n] = text;
			if (column.fill) {
				line.cells[n].replaceChildren();
				column.fill(line.cells[n], row);
			}
			else {
				line.cells[n].textContent = text;
			}
		});

		return line.tr;
	}
});

/* An address or prefix so that it sorts as a number does. */
function address(text) {
	const [ addr, length ] = String(text).split('/');
	const [ head, tail ] = addr.split('::');

	if (!addr.includes(':'))
		return addr;

	const left = head ? head.split(':') : [], right = tail ? tail.split(':') : [];
	const middle = tail == null ? [] : Array(Math.max(0, 8 - left.length - right.length)).fill('0');

	return left.concat(middle, right).map(part => part.padStart(4, '0')).join('') + (length ?? '');
}

return baseclass.extend({
	address,

	/* The column that says how something is, by mark and word. */
	state: () => ({
		title: _('State'),
		text: row => words.state(row.state),
		fill: (td, row) => td.append(draw.mark(draw.mood(row.state)), ' ' + words.state(row.state))
	}),

	create: options => new Table(options)
});

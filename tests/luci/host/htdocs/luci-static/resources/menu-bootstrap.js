'use strict';
'require baseclass';
'require ui';

/* The theme's menu: all pages at the top, the tabs of this one below. */

return baseclass.extend({
	__init__() {
		ui.menu.load().then(tree => {
			const [ root, ...path ] = L.env.dispatchpath;
			const top = document.querySelector('#topmenu');
			let node = tree.children[root];

			for (const section of ui.menu.getChildren(node))
				for (const page of ui.menu.getChildren(section))
					top.appendChild(E('li', {}, [ E('a', { 'href': L.url(root, section.name, page.name) }, [ _(page.title) ]) ]));
			top.style.display = '';

			node = node.children[path[0]]?.children[path[1]];
			const tabs = ui.menu.getChildren(node);
			if (!tabs.length)
				return;
			const menu = document.querySelector('#tabmenu');
			menu.appendChild(E('ul', { 'class': 'tabs' }, tabs.map(tab => E('li', { 'class': tab.name == path[2] ? 'active' : '' }, [
				E('a', { 'href': L.url(root, path[0], path[1], tab.name) }, [ _(tab.title) ]) ]))));
			menu.style.display = '';
		});
	}
});

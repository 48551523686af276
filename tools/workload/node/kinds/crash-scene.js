// SPDX-License-Identifier: BSD-2-Clause
// Where a worker dies: a member of the watching crew, with a crew of its own on the same loop.
'use strict';

const { modes } = require('./crash-worker');

module.exports = {
	modes,
	hidden: true,
	join(member) {
		const { Crew } = require('../crew'); // which needs this file first
		const { member: index, ...options } = member.options;
		const crew = new Crew({ ...options, kind: 'crash-worker' });

		crew.progress = (worker) => member.send('progress', { v: worker });
		crew.done = () => {
			crew.roundDone(crew.sum);
			member.send('over', { v: crew.sum });
		};
		member.crew = crew;
		crew.assemble();
	},
	hear() {},
	leave(member) {
		member.report.scene = member.crew.json();
	},
};
